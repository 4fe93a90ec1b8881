package engine

import (
	"expectscope/analysis"
	"expectscope/analysis/http2"
	"expectscope/analysis/tlskey"
	"expectscope/capture"
	"expectscope/reassembly"
)

// maxNames bounds the host names of connections without keys that are told apart.
const maxNames = 1000

// keyring is where keys come from: the key log, and secrets in the captures themselves.
type keyring struct {
	keys    *tlskey.Keys
	src     capture.Source // what is being read, nil if unknown
	taken   []int          // secrets of each input that were read
	inside  bool           // some were: others may follow
	waiting []waiter
}

// A waiter is a connection that holds back what it sees until its key comes.
type waiter struct {
	s   *session
	tls *tlskey.Stream
}

// more reads keys that came since, and tells whether others may still come.
func (e *Engine) more() bool {
	k := &e.ring
	if e.o.KeyLog != nil {
		for text := e.o.KeyLog(); len(text) > 0; text = e.o.KeyLog() {
			k.keys.Add(text)
		}
		if !e.o.KeyLogGrows {
			k.keys.Finish()
			e.o.KeyLog = nil
		}
	}
	if k.src == nil {
		return e.o.KeyLogGrows
	}
	inputs := k.src.Stats().Inputs
	for len(k.taken) < len(inputs) {
		k.taken = append(k.taken, 0)
	}
	for i := range inputs {
		for ; k.taken[i] < len(inputs[i].Secrets); k.taken[i]++ {
			k.keys.Add(inputs[i].Secrets[k.taken[i]])
			k.keys.Finish()
			k.inside = true
		}
	}
	return e.o.KeyLogGrows || k.inside
}

// unlock lets connections that wait for a key look whether it has come.
func (e *Engine) unlock() {
	k := &e.ring
	keep := k.waiting[:0]
	for _, w := range k.waiting {
		if w.s.dead || !w.tls.Waiting() {
			continue
		}
		e.running = w.s
		w.tls.Retry(e.now)
		e.running = nil
		keep = append(keep, w)
	}
	clear(k.waiting[len(keep):])
	k.waiting = keep
}

// decrypter reads TLS; what is in it is looked at like what begins a connection.
func (s *session) decrypter(next uint32) reassembly.Layer {
	h := &s.e.sum.Capture
	h.TLS++
	return tlskey.New(tlskey.Options{
		Keys: s.e.ring.keys,
		More: s.e.more,
		Inner: func(hello *tlskey.Hello) reassembly.Layer {
			h.Decrypted++
			s.tls = &analysis.TLS{Version: hello.VersionName(), ALPN: hello.ALPN, SNI: hello.SNI}
			if s.rec != nil { // in a tunnel of requests in the clear
				s.rec.SetTLS(s.tls)
			}
			if s.e.o.Secrets != nil {
				session := *hello
				s.e.o.Secrets(s.conn, func() []byte { return s.e.ring.keys.Log(nil, &session) })
			}
			if hello.ALPN == "h2" { // then a hole in front of its preface leaves it HTTP/2
				s.record(hello.Client)
				return s.http2(http2.Options{Client: hello.Client, Base: next - 1})
			}
			return s.sniffer(false, next)
		},
		Opaque: func(hello *tlskey.Hello) {
			s.e.sealed(hello)
			s.opaque("tls")
		},
		Unread: func(from, to int64) { s.blind(from, to, "records of a TLS connection could not be read") },
		Waits:  func(t *tlskey.Stream) { s.e.ring.waiting = append(s.e.ring.waiting, waiter{s, t}) },
	})
}

// sealed counts a connection that stays unread by the host its client asked for.
func (e *Engine) sealed(h *tlskey.Hello) {
	names := e.sum.Capture.Sealed
	name := h.SNI
	if name == "" {
		name = "(no name)"
	}
	if _, ok := names[name]; !ok && len(names) >= maxNames {
		name = "(others)"
	}
	names[name]++
}

// limits counts what was left out for want of keys.
func (k *keyring) limits(hit func(name string, n uint64)) {
	late, dropped, full := k.keys.Bounds()
	hit("TLS keys too late", late)
	hit("TLS keys", dropped)
	hit("TLS without keys yet", full)
}
