package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"expectscope/capture"
)

// A progress bar appears after patience and is drawn anew every redraw.
const (
	patience = time.Second
	redraw   = 100 * time.Millisecond
	barWidth = 24
)

// A progress draws one line on a terminal: how much was read, how fast, how
// long it will take.
type progress struct {
	w            io.Writer // nil: draws nothing
	now          func() time.Time
	start, drawn time.Time
}

// newProgress returns a progress bar on standard error if that is a terminal,
// unless lines that come during the run go to a terminal too.
func newProgress(c *console, during bool) *progress {
	p := &progress{now: c.now, start: c.now()}
	if isTerminal(c.err) && c.env("TERM") != "dumb" && (!during || !isTerminal(c.out)) {
		p.w = c.err
	}
	return p
}

// draw shows the state, if it is time to.
func (p *progress) draw(s *capture.Stats) {
	if p.w == nil {
		return
	}
	now := p.now()
	if now.Sub(p.start) < patience || now.Sub(p.drawn) < redraw {
		return
	}
	p.drawn = now
	fmt.Fprint(p.w, "\r\x1b[K", progressLine(s.Read, s.Total, now.Sub(p.start)))
}

// clear takes the line away.
func (p *progress) clear() {
	if p.w != nil && !p.drawn.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// progressLine is the text of the bar after some time; total is 0 when it is not known.
func progressLine(read, total int64, elapsed time.Duration) string {
	rate := float64(read) / elapsed.Seconds()
	speed := bytesText(int64(rate)) + "/s"
	if total <= 0 {
		return fmt.Sprintf("%s read, %s", bytesText(read), speed)
	}
	read = min(read, total)
	full := int(read * barWidth / total)
	bar := strings.Repeat("#", full) + strings.Repeat(".", barWidth-full)
	left := "?"
	if rate > 0 {
		left = time.Duration(float64(total-read) / rate * float64(time.Second)).Round(time.Second).String()
	}
	return fmt.Sprintf("[%s] %3d%% of %s, %s, %s left", bar, read*100/total, bytesText(total), speed, left)
}

// bytesText writes a size with three digits or so: "830 MB", "1.2 GB".
func bytesText(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for v >= 999.5 && u < len(units)-1 {
		v /= 1000
		u++
	}
	if u > 0 && v < 9.95 {
		return fmt.Sprintf("%.1f %s", v, units[u])
	}
	return fmt.Sprintf("%.0f %s", v, units[u])
}
