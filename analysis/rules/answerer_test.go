package rules

import (
	"slices"
	"testing"

	"expectscope/analysis"
)

func TestWhoAnswered(t *testing.T) {
	says417 := func(fields ...string) *scene { return upload(5000).says(21, 417, headLen, fields...) }
	heard := func(s *scene, vs ...analysis.Voice) *scene {
		s.Peers = &analysis.Peers{Voices: append(vs, analysis.Voice{Software: "x", Refuses: true, Count: 1})}
		return s
	}
	ttl := func(s *scene, n uint8) *scene { s.Final.TTL = n; return s }
	far := func(s *scene) *scene {
		return s.but(func(x *analysis.Exchange) { x.Conn.SYN, x.Conn.SYNACK = t0-100e6, t0-40e6 })
	}
	origin := analysis.Voice{Software: "nginx/1.22.1", TTL: 64, Count: 3}
	proxied := analysis.Voice{Software: "nginx/1.22.1", Via: "1.1 edge", TTL: 64, Count: 3}
	proxy, anyone := analysis.FaultIntermediary, analysis.FaultServer
	for _, c := range []struct {
		name  string
		s     *scene
		who   string
		fault analysis.Fault // the first of those named
	}{
		{"nothing to go by", says417(), "The server or a proxy", anyone},
		{"a proxy's name", says417("Server: squid/5.7"), "A proxy, it seems, (it calls itself squid/5.7)", proxy},
		{"an origin's name", says417("Server: nginx"), "The server or a proxy", anyone},
		{"the usual name", heard(says417("Server: nginx/1.22.1"), origin), "The server or a proxy", anyone},
		{"another name", heard(says417("Server: gate/1 (x)"), origin), "Another than usual (it calls itself \"gate/1\", other answers from there nginx/1.22.1)", anyone},
		{"only refusals were heard", heard(says417("Server: gate/1")), "The server or a proxy", anyone},
		{"it lacks the others' Via", heard(says417(), proxied), "A proxy, it seems, (it lacks the Via of the other answers from there)", proxy},
		{"one of the others lacks it too", heard(says417(), proxied, origin), "The server or a proxy", anyone},
		{"a bare 100 lacks it rightly", heard(says417(), proxied, analysis.Voice{TTL: 64}), "A proxy, it seems, (it lacks the Via of the other answers from there)", proxy},
		{"it has it", heard(says417("Via: 1.1 edge"), proxied), "The server or a proxy", anyone},
		{"another TTL", heard(ttl(says417(), 61), analysis.Voice{TTL: 64}), "Another host than usual (TTL 61, other answers from there 64)", anyone},
		{"several TTLs", heard(ttl(says417(), 61), analysis.Voice{TTL: 64}, analysis.Voice{TTL: 63}), "The server or a proxy", anyone},
		{"the same TTL, soon", heard(ttl(far(says417()), 64), analysis.Voice{TTL: 64}), "The server or a proxy", anyone},
		{
			"another TTL, and soon", heard(ttl(far(says417()), 61), analysis.Voice{TTL: 64}),
			"Something on the way (TTL 61, other answers from there 64, after 21 ms, and the server is 60 ms away)", proxy,
		},
		{
			"another TTL on one connection",
			heard(ttl(upload(5000).says(5, 102, headLen).but(func(x *analysis.Exchange) { x.Interim[0].TTL = 64 }).says(21, 417, headLen), 61), analysis.Voice{TTL: 64}),
			"Something on the way (TTL 61, other answers from there 64)", proxy,
		},
		{"a head that is cut", says417("Server: squid/5.7").lacks(analysis.DoubtSnapLen, analysis.PartFinal), "The server or a proxy", anyone},
	} {
		if a := answeredBy(&c.s.Case); a.who+a.aside() != c.who {
			t.Errorf("%s: %q, want %q", c.name, a.who+a.aside(), c.who)
		}
		fs := Judge(&c.s.Case)
		i := slices.IndexFunc(fs, func(f analysis.Finding) bool { return f.Rule == "417-received" })
		if i < 0 || fs[i].Fault[0] != c.fault {
			t.Errorf("%s: fault %v", c.name, fs)
		}
	}
}
