package rules

import (
	"fmt"
	"slices"
	"strings"

	"expectscope/analysis"
)

// Who answered: what a 417 says of its sender, held against the other answers of the server's address.

// An answerer is who seems to have sent the final response: how that may stand at the beginning of a
// sentence, by what it is known, "" for nothing, and who is at fault by it, nil where it cannot be told.
type answerer struct {
	who, by string
	fault   []analysis.Fault
}

// intermediaries are programs that do nothing but stand between: where one of them speaks for itself, it is no origin.
var intermediaries = map[string]bool{"squid": true, "varnish": true, "haproxy": true, "ats": true, "envoy": true}

// An answer that comes in less than half of the server's own round trip, where that is at least farRTT, may be
// another's. By itself that proves little: a handshake can be slow, and its packets captured late.
const farRTT = int64(2e6)

// answeredBy looks for the sender of the final response. Each sign by itself can have another reason, so the words are
// those of an appearance, and the finding's certainty does not rest on them.
func answeredBy(c *analysis.Case) answerer {
	unknown := answerer{who: "The server or a proxy"}
	if blind(c, analysis.PartFinal) || doubted(c, analysis.PartFinal, analysis.DoubtSnapLen) {
		return unknown
	}
	proxy := answerer{who: "A proxy, it seems,", fault: []analysis.Fault{analysis.FaultIntermediary}}
	software, _ := c.Final.Get("Server")
	others := otherVoices(c)
	names, vias, ttls := tones(others)
	switch {
	case intermediaries[recognise(servers, software)]:
		proxy.by = "it calls itself " + quotable(product(software))
	case software != "" && len(names) > 0 && !slices.Contains(names, software):
		proxy.who, proxy.by = "Another than usual", fmt.Sprintf("it calls itself %s, other answers from there %s", quotable(product(software)), quotable(product(names[0])))
		proxy.fault = nil // a proxy, or another back end
	case len(others) > 0 && len(c.Final.Values("Via")) == 0 && !slices.Contains(vias, ""):
		proxy.by = "it lacks the Via of the other answers from there"
	case c.Final.TTL != 0 && len(ttls) == 1 && ttls[0] != c.Final.TTL:
		proxy.who, proxy.by = "Another host than usual", fmt.Sprintf("TTL %d, other answers from there %d", c.Final.TTL, ttls[0])
		proxy.fault = nil // or another back end
		took, way := c.Final.First.Time-c.Request.Last.Time, c.Conn.ServerRTT(c.Client)
		soon := c.Conn.SYNACK != 0 && way >= farRTT && !c.HeadResent && took < way/2
		if soon {
			proxy.by += fmt.Sprintf(", after %s, and the server is %s away", span(took), span(way))
		}
		if soon || ttlOnConn(c, ttls[0]) { // one connection ends at one host
			proxy.who, proxy.fault = "Something on the way", []analysis.Fault{analysis.FaultIntermediary}
		}
	default:
		return unknown
	}
	return proxy
}

// otherVoices are those the server's address has beside its refusals.
func otherVoices(c *analysis.Case) (vs []analysis.Voice) {
	if c.Peers == nil {
		return nil
	}
	for _, v := range c.Peers.Voices {
		if !v.Refuses {
			vs = append(vs, v)
		}
	}
	return vs
}

// tones are the names the voices give themselves, their Via fields, "" for none, and their TTLs, each once. A voice
// without either field may be a bare 100, and lacks nothing by that.
func tones(vs []analysis.Voice) (names, vias []string, ttls []uint8) {
	for _, v := range vs {
		if v.Software != "" && !slices.Contains(names, v.Software) {
			names = append(names, v.Software)
		}
		if (v.Software != "" || v.Via != "") && !slices.Contains(vias, v.Via) {
			vias = append(vias, v.Via)
		}
		if v.TTL != 0 && !slices.Contains(ttls, v.TTL) {
			ttls = append(ttls, v.TTL)
		}
	}
	if len(vias) == 0 {
		vias = []string{""}
	}
	return names, vias, ttls
}

// ttlOnConn tells whether another response on this very connection came with that TTL.
func ttlOnConn(c *analysis.Case, ttl uint8) bool {
	for i := range c.Interim {
		if c.Interim[i].TTL == ttl {
			return true
		}
	}
	next := c.Next()
	return next != nil && next.Conn == c.Conn && next.Final != nil && next.Final.TTL == ttl
}

// product is the first word of a Server field.
func product(field string) string {
	name, _, _ := strings.Cut(field, " ")
	return name
}

// aside is by what the answerer is known, as a clause in brackets behind a word.
func (a answerer) aside() string {
	if a.by == "" {
		return ""
	}
	return " (" + a.by + ")"
}
