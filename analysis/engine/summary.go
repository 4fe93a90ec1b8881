package engine

import (
	"maps"
	"slices"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/reassembly"
)

// count counts an exchange that is over, kept or not.
func (e *Engine) count(x *analysis.Exchange) {
	s := &e.sum
	s.Exchanges++
	s.Interims += uint64(len(x.Interim))
	if x.Final != nil {
		s.Finals++
	}
	if x.Waiting() != "" {
		s.Open++
	}
	if len(x.Doubts) > 0 {
		s.Capture.Doubts++
	}
	s.BodySent += x.ReqBody.Sent
	if n, _ := x.Wasted(); n > 0 && x.Charged() {
		s.WastedBytes += n
	}
}

// tally counts what only judged exchanges have.
func (e *Engine) tally(x *analysis.Exchange, found []analysis.Finding) {
	s := &e.sum
	if _, ok := x.Request.Get("Expect"); !ok {
		return
	}
	s.Expect++
	s.SavedBytes += x.Saved()
	s.Waited += x.WaitedForContinue()
	if x.Final == nil || x.Final.Status != 417 {
		return
	}
	s.Refused417++
	switch x.Retry().Outcome {
	case analysis.RetrySameConn, analysis.RetryNewConn:
		s.Retried++
		return
	}
	for i := range found {
		if f := &found[i]; f.Rule == "417-no-retry" && f.Confidence >= analysis.Likely {
			s.NotRetried++
			return
		}
	}
	s.RetryUnknown++
}

// Summary is what was counted so far, a copy. src may be nil.
func (e *Engine) Summary(src capture.Source) *analysis.Summary {
	s := new(analysis.Summary)
	*s = e.sum
	s.Findings, s.Limits = maps.Clone(s.Findings), maps.Clone(s.Limits)
	h := &s.Capture
	h.Opaque, h.Sealed = maps.Clone(h.Opaque), maps.Clone(h.Sealed)
	if src != nil {
		h.Inputs = slices.Clone(src.Stats().Inputs)
	}
	for i := range h.Inputs {
		in := &h.Inputs[i]
		s.Packets += in.Packets
		s.Bytes += in.Bytes
		h.Snapped += in.Snapped
		h.Drops += in.Drops
		h.DropsKnown = h.DropsKnown || in.DropsKnown
		h.Truncated = h.Truncated || in.Err != nil
		if in.Packets > 0 {
			if h.First == 0 || in.First < h.First {
				h.First = in.First
			}
			h.Last = max(h.Last, in.Last)
		}
	}
	d := e.decoder.Stats()
	h.BadChecksums = d.BadChecksums
	h.Unsupported, h.Undecoded = map[string]uint64{}, map[string]uint64{}
	for t, n := range d.LinkTypes {
		h.Unsupported[decode.LinkName(t)] += n
	}
	for _, k := range decode.Kinds() {
		if n := d.Kinds[k]; n > 0 && k != decode.TCP && k != decode.UnknownLink {
			h.Undecoded[k.String()] += n
		}
	}
	s.Hops = e.hop.Pairs()
	e.streams(s)
	return s
}

// streams adds what the assembler counted.
func (e *Engine) streams(s *analysis.Summary) {
	a, h := e.asm.Stats(), &s.Capture
	s.Connections, s.OpenConnections = a.Conns, uint64(a.Open)
	for _, why := range []reassembly.Cause{reassembly.Lost, reassembly.Evicted} {
		h.Gaps += a.Gaps[why]
		h.GapBytes += a.GapBytes[why]
	}
	h.Strays, h.IgnoredResets = a.Strays, a.StaleResets
	hit := func(name string, n uint64) {
		if n > 0 {
			s.Limits[name] += n
		}
	}
	e.ring.limits(hit)
	for name, n := range map[string]uint64{
		"late data":          a.Gaps[reassembly.Evicted],
		"connections":        a.EvictedConns,
		"half-open":          a.EvictedSYNs,
		"refused exchanges":  e.retry.Dropped(),
		"rejected exchanges": e.links.Dropped(),
		"clients remembered": e.peers.Dropped(),
		"hops in question":   e.hop.Dropped(),
	} {
		hit(name, n)
	}
}
