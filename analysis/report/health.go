package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"expectscope/analysis"
)

// healthIndent is as wide as "CAPTURE  ".
const healthIndent = "         "

// health adds what was read, and what the capture lacks: a claim is worth no more than its evidence.
func health(p *page, s *analysis.Summary, o *Options) {
	c := &s.Capture
	p.line("")
	p.para(p.theme.strong+"CAPTURE"+p.theme.none+"  ", healthIndent, extent(s, o))
	for i := range c.Inputs {
		if in := &c.Inputs[i]; in.Err != nil {
			p.para(healthIndent, healthIndent, "cut off: "+Safe(in.Name)+": "+Safe(in.Err.Error()))
		}
	}
	if notes := shortcomings(c); len(notes) > 0 {
		p.para(healthIndent, healthIndent, strings.Join(notes, ", "))
	}
	if len(c.Unsupported) > 0 {
		p.para(healthIndent, healthIndent, "not decoded, packets by link type: "+tally(c.Unsupported))
	}
	if len(c.Undecoded) > 0 {
		p.para(healthIndent, healthIndent, "not TCP, packets: "+tally(c.Undecoded))
	}
	if len(c.Opaque) > 0 {
		p.para(healthIndent, healthIndent, "not HTTP, connections: "+tally(c.Opaque))
	}
	if c.Decrypted > 0 {
		p.para(healthIndent, healthIndent, "TLS, connections decrypted: "+grouped(c.Decrypted)+" of "+grouped(c.TLS))
	}
	if len(c.Sealed) > 0 {
		p.para(healthIndent, healthIndent, "TLS, connections that cannot be read, by host: "+hosts(c.Sealed)+
			"; --keylog FILE reads them with the keys that a client or server writes which runs with SSLKEYLOGFILE=FILE")
	}
	if len(s.Limits) > 0 {
		p.para(p.theme.severity[analysis.Warning]+"LIMITS"+p.theme.none+"   ", healthIndent,
			"hit, so something was left out: "+tally(s.Limits))
	}
}

// extent says how much was captured, when, and whether it is whole.
func extent(s *analysis.Summary, o *Options) string {
	c := &s.Capture
	text := counted(s.Packets, "packet", "packets")
	if n := len(c.Inputs); n > 1 {
		text += " of " + grouped(n) + " inputs"
	}
	if s.Packets > 0 {
		text += " in " + span(c.Last-c.First) + " from " + moment(c.First, o.Location).Format("2006-01-02 15:04:05 MST")
	}
	if c.Truncated {
		text += "; cut off"
	} else {
		text += "; whole"
	}
	switch {
	case !c.DropsKnown:
		text += "; drops unknown"
	case c.Drops == 0:
		text += "; no drops"
	default:
		text += "; " + counted(c.Drops, "packet", "packets") + " dropped while capturing"
	}
	if c.Doubts == 0 {
		return text + "; no doubts"
	}
	return text + "; " + counted(c.Doubts, "exchange", "exchanges") + " in doubt"
}

// shortcomings lists what weakens the evidence.
func shortcomings(c *analysis.CaptureHealth) []string {
	var notes []string
	if c.Gaps > 0 {
		notes = append(notes, counted(c.Gaps, "gap", "gaps")+" ("+size(c.GapBytes)+" missing)")
	}
	freezes, copies := uint64(0), uint64(0)
	for i := range c.Inputs {
		freezes += c.Inputs[i].Freezes
		copies += c.Inputs[i].Copies
	}
	if freezes > 0 {
		notes = append(notes, "the kernel's buffer was full "+counted(freezes, "time", "times"))
	}
	if copies > 0 {
		notes = append(notes, counted(copies, "copy", "copies")+" of packets seen on several interfaces, taken once")
	}
	if c.Snapped > 0 {
		notes = append(notes, counted(c.Snapped, "packet", "packets")+" cut by the snap length")
	}
	if c.BadChecksums > 0 {
		notes = append(notes, counted(c.BadChecksums, "segment", "segments")+" with a wrong checksum")
	}
	if c.Strays > 0 {
		notes = append(notes, counted(c.Strays, "stray segment", "stray segments"))
	}
	if c.IgnoredResets > 0 {
		notes = append(notes, counted(c.IgnoredResets, "RST", "RSTs")+" that ended nothing")
	}
	return notes
}

// hostsShown is how many hosts are told apart.
const hostsShown = 5

// hosts lists the hosts that most connections were for.
func hosts(m map[string]uint64) string {
	few := maps.Clone(m)
	names := slices.SortedFunc(maps.Keys(few), func(a, b string) int {
		return cmp.Or(cmp.Compare(few[b], few[a]), strings.Compare(a, b))
	})
	for _, name := range names[min(hostsShown, len(names)):] {
		n := few[name]
		delete(few, name)
		few["(others)"] += n
	}
	return tally(few)
}

// tally lists counters, the largest first.
func tally(m map[string]uint64) string {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), strings.Compare(a, b))
	})
	for i, name := range names {
		names[i] = grouped(m[name]) + " " + Safe(name)
	}
	return strings.Join(names, ", ")
}
