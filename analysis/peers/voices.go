package peers

import (
	"net/netip"
	"strings"

	"expectscope/analysis"
)

// voiced is a voice of a server's address.
type voiced struct {
	server netip.AddrPort
	analysis.Voice
}

// hear takes note of how the answers to x introduce themselves, and of who asked.
func (c *client) hear(x *analysis.Exchange) {
	if agent := x.UserAgent(); agent != "" {
		c.shared = c.shared || c.agent != "" && c.agent != agent
		c.agent = strings.Clone(agent)
	}
	for _, name := range [...]string{"Via", "Forwarded", "X-Forwarded-For"} { // a proxy speaks for others
		if _, ok := x.Request.Get(name); ok {
			c.shared = true
		}
	}
	for i := range x.Interim {
		c.voice(x, &x.Interim[i])
	}
	if x.Final != nil {
		c.voice(x, x.Final)
	}
}

// voice counts one response. A hole in it hides fields, so that the absence of one tells nothing.
func (c *client) voice(x *analysis.Exchange, m *analysis.Message) {
	if len(x.Doubtful(analysis.PartInterim|analysis.PartFinal)) > 0 {
		return
	}
	server := x.Conn.Addr(x.ServerDir())
	v := analysis.Voice{Via: strings.Join(m.Values("Via"), ", "), TTL: m.TTL, Refuses: m.Status == 417}
	v.Software, _ = m.Get("Server")
	for i := range c.voices {
		k := &c.voices[i]
		if k.server == server && k.Software == v.Software && k.Via == v.Via && k.TTL == v.TTL && k.Refuses == v.Refuses {
			k.Count++
			return
		}
	}
	if len(c.voices) == maxVoices {
		c.voices = append(c.voices[:0], c.voices[1:]...)
	}
	v.Software, v.Via, v.Count = strings.Clone(v.Software), strings.Clone(v.Via), 1
	c.voices = append(c.voices, voiced{server, v})
}

// heard are the voices of the exchange's server.
func (c *client) heard(x *analysis.Exchange) (vs []analysis.Voice) {
	server := x.Conn.Addr(x.ServerDir())
	for i := range c.voices {
		if c.voices[i].server == server {
			vs = append(vs, c.voices[i].Voice)
		}
	}
	return vs
}
