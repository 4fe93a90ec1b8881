package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// What the rules about redirects, challenges and repeats share: see [analysis.Case.Legs].

// follow is the link from one leg to the one behind it, nil where there is none of that kind.
func follow(legs []*analysis.Exchange, i int, kind analysis.LinkKind) (*analysis.Link, *analysis.Exchange) {
	if i < 0 || i+1 >= len(legs) {
		return nil, nil
	}
	links := legs[i].Sequel().Links
	for j := range links {
		if l := &links[j]; l.Kind == kind && l.To == legs[i+1].ID {
			return l, legs[i+1]
		}
	}
	return nil, nil
}

// stretch is the part of the legs around the exchange that is linked throughout by one kind: from its first to its last.
func stretch(c *analysis.Case, kind analysis.LinkKind) (from, to int) {
	from, to = c.Leg, c.Leg
	for l, _ := follow(c.Legs, from-1, kind); l != nil; l, _ = follow(c.Legs, from-1, kind) {
		from--
	}
	for l, _ := follow(c.Legs, to, kind); l != nil; l, _ = follow(c.Legs, to, kind) {
		to++
	}
	return from, to
}

// alike compares two bodies by what is known of their beginnings. Equal tells that they have one in common that is known of both, or no
// content at all.
func alike(a, b *analysis.Exchange) (equal, differ bool) {
	if a.N() == 0 && b.N() == 0 {
		return true, false
	}
	for i, h := range a.ReqBody.Prefix {
		switch k := b.ReqBody.Prefix[i]; {
		case h == 0 || k == 0:
		case h == k:
			equal = true
		default:
			return false, true
		}
	}
	return equal, false
}

// sentAgain is the evidence of a repeat: the request, its answer if there was one, and the request that followed.
func sentAgain(x, next *analysis.Exchange) []reassembly.Mark {
	marks := []reassembly.Mark{x.Request.Last, next.Request.Last}
	if x.Final != nil {
		marks = append(marks, x.Final.Last)
	}
	return marks
}
