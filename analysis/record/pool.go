package record

import "expectscope/analysis"

// entry is an exchange while it is being built.
type entry struct {
	x        *analysis.Exchange // own, or once kept one of its own
	own      analysis.Exchange
	final    analysis.Message   // own.Final points here
	before   *analysis.Exchange // the kept one in front
	kept     bool
	closed   bool
	done     [2]bool
	how      [2]analysis.Ended
	interims int    // bytes of interim heads
	req      []byte // head of the request, of the final response, while not kept
	fin      []byte
	inner    inner
	echo     echo
	account
}

// A Pool holds entries for reuse by the recorders of one engine. It is not safe for concurrent use.
type Pool struct{ free []*entry }

// Bounds on what a pool holds on to: entries, and the size of their buffers.
const (
	maxFree      = 4096
	maxSpare     = 4 << 10
	maxSpareRuns = 64
)

func (p *Pool) get() *entry {
	if n := len(p.free); n > 0 {
		e := p.free[n-1]
		p.free = p.free[:n-1]
		return e
	}
	return &entry{}
}

func (p *Pool) put(e *entry) {
	if len(p.free) == maxFree || cap(e.req) > maxSpare || cap(e.fin) > maxSpare || cap(e.runs) > maxSpareRuns {
		return
	}
	doubts := e.own.Doubts[:0]
	if e.kept {
		doubts = nil
	}
	runs := e.runs[:0]
	*e = entry{req: e.req[:0], fin: e.fin[:0]}
	e.own.Doubts, e.runs = doubts, runs
	p.free = append(p.free, e)
}
