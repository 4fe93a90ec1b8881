package tui

import (
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// The program looks at the store that often.
const tick = 50 * time.Millisecond

// few is how many records are indexed at once; more are indexed beside the program's loop.
const few = 5000

// calm is how many times as long as an index took to make goes by before it is made anew only because records arrived.
const calm = 4

// pause is how long after a key the next one counts as a new beginning: until then the preview waits.
const pause = 150 * time.Millisecond

// calmProgress is how often the progress is told: figures that change faster cannot be read.
const calmProgress = 250 * time.Millisecond

type tickMsg time.Time

// restMsg comes a pause after a key that came fast, frameMsg when the next frame is due.
type (
	restMsg  time.Time
	frameMsg time.Time
)

// indexMsg brings an index that was made beside the loop, figuresMsg the same for the overview.
type (
	indexMsg struct {
		tab  int
		ix   *index
		took time.Duration
	}
	figuresMsg struct {
		f    *figures
		took time.Duration
	}
	doneMsg struct {
		text string
		err  error
	}
)

// A job is something that is made anew beside the loop: at most once at a time.
type job struct {
	busy bool
	next time.Time // not before, if only records arrived
}

// A model is the program: the screen, the prompt, and what runs beside the loop.
type model struct {
	o       Options
	store   *store.Store
	screen  *screen
	prompt  prompt
	look    look
	start   time.Time
	jobs    [tabs]job
	cmd     tea.Cmd // what the message that is taken asks for
	painter painter
	drawn   []string  // the frame that is shown
	painted time.Time // when
	// stale: the frame shown is not the screen; waiting: for a frameMsg; resting: for a restMsg.
	stale, waiting, resting bool

	lastKey time.Time
	told    time.Time // when the progress was last told
}

func newModel(s *store.Store, o Options) *model {
	m := &model{o: o, store: s, start: time.Now(), painter: painter{out: o.Out}, stale: true}
	if o.Out == nil {
		m.painter.out = os.Stdout
	}
	m.screen = newScreen(o.Title, o.Input, darkLook)
	m.screen.can = map[actKind]bool{actStop: o.Stop != nil, actExtract: o.Extract != nil, actWrite: o.Write != nil}
	if err := m.screen.setFilter(o.Filter); err != nil {
		m.screen.message = report.Safe(err.Error())
	}
	m.refresh(m.start)
	return m
}

// Init shows what there is and starts the clock.
func (m *model) Init() tea.Cmd {
	return tea.Batch(m.index(m.start), m.draw(time.Now()), m.clock())
}

// clock is the next tick; there is none when nothing more will come.
func (m *model) clock() tea.Cmd {
	return tea.Tick(tick, func(t time.Time) tea.Msg { return tickMsg(t) })
}

// Update takes a message, and draws what came of it.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	defer m.rescue()
	m.stale = m.take(msg) || m.stale
	cmd := m.cmd
	m.cmd = nil
	return m, tea.Batch(cmd, m.draw(time.Now()))
}

// take takes a message. It leaves what is to be done in cmd, and tells whether there is something to draw.
func (m *model) take(msg tea.Msg) bool {
	switch msg := msg.(type) {
	case tickMsg:
		return m.onTick(time.Time(msg))
	case frameMsg:
		m.waiting = false
		return false
	case restMsg:
		return m.rest(time.Time(msg))
	case indexMsg:
		m.jobs[msg.tab] = job{next: time.Now().Add(calm * msg.took)}
		m.screen.lists[msg.tab].show(msg.ix)
		m.cmd = m.index(time.Now())
	case figuresMsg:
		m.jobs[overviewTab] = job{next: time.Now().Add(calm * msg.took)}
		m.screen.figures = msg.f
	case doneMsg:
		m.screen.message = msg.text
		if msg.err != nil {
			m.screen.message = "error: " + report.Safe(msg.err.Error())
		}
	case tea.WindowSizeMsg:
		m.screen.resize(msg.Width, msg.Height)
		m.prompt.resize(msg.Width)
	case tea.EnvMsg:
		if msg.Getenv("NO_COLOR") != "" || msg.Getenv("TERM") == "dumb" {
			m.setLook(plainLook)
		}
	case tea.ColorProfileMsg:
		if msg.Profile <= colorprofile.ASCII {
			m.setLook(plainLook)
		}
	case tea.BackgroundColorMsg:
		if m.look != plainLook && !msg.IsDark() {
			m.setLook(lightLook)
		}
	default:
		m.cmd = m.input(msg)
	}
	return true
}

func (m *model) setLook(l look) {
	m.look = l
	m.screen.theme = newTheme(l)
}

// input is what the user does.
func (m *model) input(msg tea.Msg) tea.Cmd {
	if m.prompt.open {
		return m.typing(msg)
	}
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return tea.Batch(m.pace(), m.do(m.screen.key(msg.String())))
	case tea.MouseClickMsg:
		if msg.Button == tea.MouseLeft {
			return m.do(m.screen.click(msg.X, msg.Y))
		}
	case tea.MouseWheelMsg:
		cmd := m.pace()
		m.screen.wheel(map[bool]int{true: -3, false: 3}[msg.Button == tea.MouseWheelUp])
		return cmd
	}
	return nil
}

// pace notes that a key came, and whether it came fast.
func (m *model) pace() tea.Cmd {
	now := time.Now()
	m.screen.swift = now.Before(m.lastKey.Add(pause))
	m.lastKey = now
	if !m.screen.swift || m.resting {
		return nil
	}
	m.resting = true
	return rest(pause)
}

func rest(d time.Duration) tea.Cmd {
	return tea.Tick(d, func(t time.Time) tea.Msg { return restMsg(t) })
}

// rest brings the preview up when no key came for a pause, and tells whether it did.
func (m *model) rest(now time.Time) bool {
	if left := m.lastKey.Add(pause).Sub(now); left > 0 {
		m.cmd = rest(left)
		return false
	}
	m.resting = false
	m.screen.rest()
	return true
}

// typing is what the user does while the prompt is open: the filter follows what is typed.
func (m *model) typing(msg tea.Msg) tea.Cmd {
	cmd, typed, over := m.prompt.update(msg, m.screen)
	m.prompt.fault = ""
	if !over {
		typed = m.prompt.whole()
	}
	if err := m.screen.setFilter(typed); err != nil {
		m.prompt.fault = err.Error()
	}
	if over {
		m.prompt.open = false
	}
	return tea.Batch(cmd, m.index(time.Now()))
}

// do is what an action asks for.
func (m *model) do(a action) tea.Cmd {
	var cmd tea.Cmd
	switch a.kind {
	case actQuit:
		return tea.Quit
	case actStop:
		m.o.Stop()
	case actFilter:
		cmd = m.prompt.ask(m.screen)
	case actCopy:
		m.painter.copy(a.text)
	case actExtract:
		cmd = m.beside("wrote %s; Wireshark opens it", func() (string, error) { return m.o.Extract(a.text) })
	case actWrite:
		rows := m.screen.rows()
		cmd = m.beside("wrote %s", func() (string, error) { return m.o.Write(a.text, rows) })
	}
	return tea.Batch(cmd, m.index(time.Now()))
}

// beside does something that takes time, and tells the name of the file that came of it.
func (m *model) beside(said string, do func() (string, error)) tea.Cmd {
	return func() tea.Msg {
		defer m.rescue()
		path, err := do()
		return doneMsg{fmt.Sprintf(said, report.Safe(path)), err}
	}
}

// onTick looks at the store, and tells whether there is something to draw.
func (m *model) onTick(now time.Time) bool {
	changed, was := m.refresh(now), m.stale
	m.stale = false
	m.cmd = m.index(now) // may make it stale
	changed, m.stale = changed || m.stale, was
	if !m.screen.snap.Progress.Done || m.behind() {
		m.cmd = tea.Batch(m.cmd, m.clock())
	}
	return changed
}

// behind tells whether something is still to be made from the last snapshot.
func (m *model) behind() bool {
	for tab := range tabs {
		if m.due(tab) || m.jobs[tab].busy {
			return true
		}
	}
	return false
}

// refresh takes a snapshot if there is something new, and tells whether there is something to draw.
func (m *model) refresh(now time.Time) bool {
	n := m.store.Snapshot()
	s := m.screen
	loading := s.loading
	switch p := n.Progress; {
	case p.Done:
		loading = ""
	case now.Sub(m.told) >= calmProgress || loading == "":
		loading, m.told = progressText(p.Read, p.Total, now.Sub(m.start)), now
	}
	changed := n.Version != s.snap.Version || loading != s.loading
	s.snap, s.loading = n, loading
	return changed
}

// due tells whether what a tab shows is not what it should.
func (m *model) due(tab int) bool {
	s := m.screen
	if tab == overviewTab {
		return tab == s.tab && s.figures.version != s.snap.Version
	}
	if tab == connectionsTab && s.tab != tab {
		return false
	}
	l := &s.lists[tab]
	want := s.want(tab)
	return l.ix.version != s.snap.Version || !l.ix.spec.same(&want)
}

// index makes what is due anew: at once if it is little, else beside the loop.
func (m *model) index(now time.Time) tea.Cmd {
	var cmds []tea.Cmd
	s := m.screen
	for tab := range tabs {
		if !m.due(tab) || m.jobs[tab].busy {
			continue
		}
		n := s.snap
		if n.Exchanges.Len()+n.Findings.Len() <= few {
			m.stale = true
			if tab == overviewTab {
				s.figures = count(n, s.inputs)
			} else {
				s.lists[tab].spec = s.want(tab)
				s.lists[tab].show(build(n, s.lists[tab].spec))
			}
			continue
		}
		if m.arrivals(tab) && now.Before(m.jobs[tab].next) {
			continue
		}
		m.jobs[tab].busy = true
		cmds = append(cmds, m.make(tab, n))
	}
	return tea.Batch(cmds...)
}

// arrivals tells whether a tab is only behind because records arrived.
func (m *model) arrivals(tab int) bool {
	if tab == overviewTab {
		return !m.screen.snap.Progress.Done
	}
	want := m.screen.want(tab)
	return m.screen.lists[tab].ix.spec.same(&want)
}

// make makes what a tab shows beside the loop.
func (m *model) make(tab int, n store.Snapshot) tea.Cmd {
	inputs := m.screen.inputs
	if tab == overviewTab {
		return func() tea.Msg {
			defer m.rescue()
			start := time.Now()
			return figuresMsg{count(n, inputs), time.Since(start)}
		}
	}
	want := m.screen.want(tab)
	m.screen.lists[tab].spec = want
	return func() tea.Msg {
		defer m.rescue()
		start := time.Now()
		return indexMsg{tab, build(n, want), time.Since(start)}
	}
}

// progressText is how far the load is, how fast, and how long it will take.
func progressText(read, total int64, elapsed time.Duration) string {
	rate := float64(read) / max(elapsed.Seconds(), 0.001)
	if total <= 0 {
		return "reading " + report.Size(read) + ", " + report.Size(int64(rate)) + "/s"
	}
	s := fmt.Sprintf("reading %d%%", min(read, total)*100/total)
	if elapsed >= time.Second && rate > 0 {
		left := time.Duration(float64(max(total-read, 0)) / rate * float64(time.Second)).Round(time.Second)
		s += ", " + report.Size(int64(rate)) + "/s, " + left.String() + " left"
	}
	return s
}
