package engine

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// events is who hears of the messages of the connection: its recorder, and who looks on before it.
func (s *session) events() analysis.Events {
	if s.watch == nil {
		return s.rec
	}
	return &both{s.watch, s.rec}
}

// both tells two.
type both struct{ first, then analysis.Events }

// Request tells the first, then the other: see [analysis.Events].
func (b *both) Request(stream uint32, h *analysis.Head) {
	b.first.Request(stream, h)
	b.then.Request(stream, h)
}

// Interim tells the first, then the other: see [analysis.Events].
func (b *both) Interim(stream uint32, h *analysis.Head) {
	b.first.Interim(stream, h)
	b.then.Interim(stream, h)
}

// Response tells the first, then the other: see [analysis.Events].
func (b *both) Response(stream uint32, h *analysis.Head) {
	b.first.Response(stream, h)
	b.then.Response(stream, h)
}

// Orphan tells the first, then the other: see [analysis.Events].
func (b *both) Orphan(after uint32, h *analysis.Head) {
	b.first.Orphan(after, h)
	b.then.Orphan(after, h)
}

// Body tells the first, then the other: see [analysis.Events].
func (b *both) Body(stream uint32, d reassembly.Dir, p []byte, n uint64, m reassembly.Mark, seen uint64, sealed bool) {
	b.first.Body(stream, d, p, n, m, seen, sealed)
	b.then.Body(stream, d, p, n, m, seen, sealed)
}

// Frame tells the first, then the other: see [analysis.Events].
func (b *both) Frame(stream uint32, d reassembly.Dir, flow, wire uint64) {
	b.first.Frame(stream, d, flow, wire)
	b.then.Frame(stream, d, flow, wire)
}

// Reset tells the first, then the other: see [analysis.Events].
func (b *both) Reset(stream uint32, r analysis.StreamReset) {
	b.first.Reset(stream, r)
	b.then.Reset(stream, r)
}

// Lost tells the first, then the other: see [analysis.Events].
func (b *both) Lost(stream uint32, d reassembly.Dir, n uint64, g *reassembly.Gap) {
	b.first.Lost(stream, d, n, g)
	b.then.Lost(stream, d, n, g)
}

// Owed tells the first, then the other: see [analysis.Events].
func (b *both) Owed(stream uint32, next uint32, o analysis.Owed) {
	b.first.Owed(stream, next, o)
	b.then.Owed(stream, next, o)
}

// Done tells the first, then the other: see [analysis.Events].
func (b *both) Done(stream uint32, d reassembly.Dir, how analysis.Ended, m reassembly.Mark) {
	b.first.Done(stream, d, how, m)
	b.then.Done(stream, d, how, m)
}

// Doubt tells the first, then the other: see [analysis.Events].
func (b *both) Doubt(stream uint32, k analysis.DoubtKind, p analysis.Part, m reassembly.Mark) {
	b.first.Doubt(stream, k, p, m)
	b.then.Doubt(stream, k, p, m)
}
