package http1

import (
	"time"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// missed is what is known of requests that went by unread, in a hole of the client's stream or before the capture began.
// Answers carry no name (RFC 9112, Section 9.2), so the answer to such a request looks like the next one's.
type missed struct {
	missed  bool // requests may have gone unseen: an answer may belong to one of them
	adrift  bool // one may still be waiting for its answer
	kind    analysis.DoubtKind
	unheard bool   // answers may have gone unseen: which request the later ones belong to was worked out from acknowledgements
	skewed  bool   // and they were pipelined, where that is a guess
	spoke   int64  // when the server last answered while adrift
	looked  uint64 // number of the last segment that was looked at as the beginning of a request where a body is owed
}

// settled is how long a server that owes an answer is not silent.
const settled = int64(5 * time.Second)

// unread notes that a request may have gone by unread.
func (m *Machine) unread(k analysis.DoubtKind) {
	m.missed.missed, m.adrift, m.kind = true, true, k
	m.overlooked()
}

// sought notes that the client's stream was looked at for a request, out of step.
func (m *Machine) sought(found bool) {
	m.missed.missed = m.missed.missed || found
	if !found {
		m.overlooked()
	}
}

// overlooked tells that bytes of the client went by that may hold the beginning of a request.
func (m *Machine) overlooked() {
	if m.o.Missed != nil {
		m.o.Missed.Overlooked()
	}
}

// unanswered notes that answers may have gone by unread; those that wait for one are doubted by the caller.
func (m *Machine) unanswered(k analysis.DoubtKind) {
	m.unheard, m.skewed, m.kind = true, true, k
}

// queued: a request came. Sent right behind another, when answers were missed, which answer it gets is a guess; alone, or sent after
// more of the server's stream had come, it is not.
func (m *Machine) queued(stream uint32, at reassembly.Mark) {
	n := len(m.queue)
	if m.skewed = m.skewed && n > 1; m.skewed && m.queue[n-1].acked <= m.queue[n-2].acked {
		m.ev.Doubt(stream, m.kind, analysis.PartInterim|analysis.PartFinal|analysis.PartRespBody, at)
	}
}

// drifting notes that an answer may be that of an unread request in front of the one that seems to get it.
func (m *Machine) drifting(stream uint32, at reassembly.Mark) {
	if m.adrift {
		m.spoke = at.Time
		m.ev.Doubt(stream, m.kind, analysis.PartInterim|analysis.PartFinal|analysis.PartRespBody, at)
	}
}

// anchored: an answer to nobody was that of the unread request. Where one did belong to nobody seen, the one before it may have as well:
// it only seemed to be the last request's.
func (m *Machine) anchored(h *analysis.Head) {
	if m.missed.missed && !m.adrift && m.answered != 0 {
		m.ev.Doubt(m.answered, analysis.DoubtFraming, analysis.PartInterim|analysis.PartFinal|analysis.PartRespBody, h.First)
	}
	m.adrift = false
}

// rested: a request that comes when all is answered and the server was silent for long is the only one that waits.
func (m *Machine) rested(h *analysis.Head) {
	if m.adrift && len(m.queue) == 0 && m.spoke != 0 && h.First.Time-m.spoke > settled {
		m.adrift = false
	}
}

// mayHide tells whether a hole where a body is owed may hold the beginning of a new request: see owed. Of a segment that the
// capture cut off, the first bytes may have shown already that it is none; held: they left it open.
func (m *Machine) mayHide(g *reassembly.Gap, held bool) bool {
	if m.refusal == 0 || m.closing || !m.req.state.inBody() {
		return false
	}
	if g.Why == reassembly.Snapped && !held && m.looked == uint64(g.At.Packet) {
		return false
	}
	return g.At.Acked == reassembly.NoAck || g.At.Acked >= m.refusal
}
