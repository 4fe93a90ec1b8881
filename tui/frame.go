package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// frame is how long a frame is shown at least: what changes faster is drawn together.
const frame = time.Second / 60

// draw shows the screen if the frame shown is not it: now, or when that has been shown long enough.
func (m *model) draw(now time.Time) tea.Cmd {
	if !m.stale || m.waiting {
		return nil
	}
	if left := m.painted.Add(frame).Sub(now); left > 0 {
		m.waiting = true
		return tea.Tick(left, func(t time.Time) tea.Msg { return frameMsg(t) })
	}
	m.drawn = m.screen.view(m.prompt.view(m.screen))
	m.painter.paint(m.drawn, m.screen.w, m.screen.h)
	m.painted, m.stale = now, false
	return nil
}

// View is nothing: the painter has brought the frame to the terminal.
func (m *model) View() tea.View { return tea.View{} }

// rescue leaves the terminal clean before a panic is told. It is deferred.
func (m *model) rescue() {
	if r := recover(); r != nil {
		m.painter.close()
		panic(r)
	}
}
