package engine

import (
	"expectscope/analysis"
	"expectscope/analysis/tlskey"
	"expectscope/reassembly"
)

// decrypter reads TLS; what is in it is looked at like what begins a connection.
func (s *session) decrypter(next uint32) reassembly.Layer {
	return tlskey.New(tlskey.Options{
		Inner: func(h *tlskey.Hello) reassembly.Layer {
			s.tls = &analysis.TLS{Version: h.VersionName(), ALPN: h.ALPN, SNI: h.SNI}
			if s.rec != nil { // in a tunnel of requests in the clear
				s.rec.SetTLS(s.tls)
			}
			return s.sniffer(h.Joined, next, h.ALPN)
		},
		Opaque: func(*tlskey.Hello) { s.opaque("tls") },
	})
}
