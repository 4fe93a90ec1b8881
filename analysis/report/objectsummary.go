package report

import "expectscope/analysis"

// summary appends the object of the summary.
func (o *objects) summary(s *analysis.Summary) {
	o.open("summary")
	for _, f := range []struct {
		name string
		n    uint64
	}{
		{"packets", s.Packets},
		{"bytes", s.Bytes},
		{"connections", s.Connections},
		{"exchanges", s.Exchanges},
		{"orphan_responses", s.Orphans},
		{"finals", s.Finals},
		{"interims", s.Interims},
		{"open", s.Open},
		{"expect_exchanges", s.Expect},
		{"refused_417", s.Refused417},
		{"retried", s.Retried},
		{"not_retried", s.NotRetried},
		{"retry_unknown", s.RetryUnknown},
	} {
		o.uint(f.name, f.n)
	}
	if s.Hops > 0 {
		o.uint("hops", s.Hops)
	}
	o.int("body_bytes", s.BodySent)
	o.int("wasted_bytes", s.WastedBytes)
	o.int("saved_bytes", s.SavedBytes)
	o.ms("waited_ms", s.Waited)
	o.counts("findings", s.Findings)
	o.health(s)
	o.counts("limits_hit", s.Limits)
	o.end('}')
}

// health appends what the capture itself lacks. Drops are left out where the capture does not tell.
func (o *objects) health(s *analysis.Summary) {
	c := &s.Capture
	o.key("capture")
	o.begin('{')
	if s.Packets > 0 {
		o.time("first", c.First)
		o.time("last", c.Last)
	}
	o.bool("truncated", c.Truncated)
	if c.DropsKnown {
		o.uint("drops", c.Drops)
	}
	o.uint("snapped", c.Snapped)
	o.counts("unsupported_link_types", c.Unsupported)
	o.uint("gaps", c.Gaps)
	o.uint("gap_bytes", c.GapBytes)
	o.uint("doubtful_exchanges", c.Doubts)
	o.uint("opaque_connections", total(c.Opaque))
	o.counts("opaque", c.Opaque)
	if c.TLS > 0 {
		o.uint("tls_connections", c.TLS)
		o.uint("tls_decrypted", c.Decrypted)
		o.counts("tls_unread", c.Sealed)
	}
	o.counts("undecoded", c.Undecoded)
	o.uint("bad_checksums", c.BadChecksums)
	o.uint("stray_segments", c.Strays)
	o.uint("ignored_resets", c.IgnoredResets)
	o.key("inputs")
	o.begin('[')
	for i := range c.Inputs {
		in := &c.Inputs[i]
		o.comma()
		o.begin('{')
		o.str("name", in.Name)
		o.uint("packets", in.Packets)
		o.uint("bytes", in.Bytes)
		if in.Packets > 0 {
			o.time("first", in.First)
			o.time("last", in.Last)
		}
		if in.DropsKnown {
			o.uint("drops", in.Drops)
			if in.Freezes > 0 {
				o.uint("freezes", in.Freezes)
			}
		}
		if in.Copies > 0 {
			o.uint("copies", in.Copies)
		}
		if in.Err != nil {
			o.str("error", in.Err.Error())
		}
		o.end('}')
	}
	o.end(']')
	o.end('}')
}

// total is the sum of the counters.
func total(m map[string]uint64) uint64 {
	n := uint64(0)
	for _, v := range m {
		n += v
	}
	return n
}
