package analysis

import "expectscope/capture"

// A Summary counts what a run saw. Times and durations are nanoseconds, sizes bytes.
type Summary struct {
	Packets, Bytes         uint64
	Connections, Exchanges uint64
	// OpenConnections is how many are followed at the moment.
	OpenConnections        uint64
	Finals, Interims, Open uint64
	// Orphans counts final responses for which no request was seen.
	Orphans uint64

	Expect, Refused417                uint64
	Retried, NotRetried, RetryUnknown uint64
	// Hops counts exchanges that were seen both in front of a proxy and behind it.
	Hops                              uint64
	BodySent, WastedBytes, SavedBytes int64
	Waited                            int64
	// Findings counts findings by rule id.
	Findings map[string]uint64

	Capture CaptureHealth
	// Limits names each limit that was hit, and how often.
	Limits map[string]uint64
}

// CaptureHealth says what the capture itself lacks.
type CaptureHealth struct {
	First, Last int64
	// Truncated tells that an input ends in the middle of a record or could not be read on.
	Truncated  bool
	Drops      uint64
	DropsKnown bool
	Snapped    uint64
	// Unsupported counts packets by the name of a link type that is not decoded.
	Unsupported map[string]uint64
	// Gaps counts holes in streams, GapBytes what they lack.
	Gaps, GapBytes uint64
	// Doubts counts exchanges with at least one doubt.
	Doubts uint64
	// Opaque counts connections that are not HTTP/1.x by what they look like: "tls", "http2", "ssh", "other".
	Opaque map[string]uint64
	// TLS counts connections, and tunnels, that carry TLS, Decrypted those of them of which something was read.
	TLS, Decrypted uint64
	// Sealed counts those that could not be read, or not to their end, by the host name their client asked for, "(no name)" where
	// it asked for none.
	Sealed map[string]uint64
	// Undecoded counts packets that are not TCP by a word for what they are: "udp", "quic", "arp", "icmp", "malformed", ...
	Undecoded map[string]uint64
	// BadChecksums counts TCP segments whose checksum is wrong (offload, or damage); they are used all the same.
	BadChecksums uint64
	// Strays counts segments that fit nowhere in their connection (RFC 9293, Section 3.4): no window explains their number, a SYN comes
	// while it is open, the stream goes on at their FIN. IgnoredResets counts RSTs that ended nothing, because the receiver would not
	// take them (RFC 5961, Section 3) or the traffic contradicted them.
	Strays, IgnoredResets uint64
	Inputs                []capture.Input
}
