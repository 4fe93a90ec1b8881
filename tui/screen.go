package tui

import (
	"slices"
	"strings"

	"expectscope/analysis/query"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// The smallest terminal there is room in.
const minWidth, minHeight = 60, 15

// The views, in the order of their tabs.
const (
	findingsTab = iota
	exchangesTab
	overviewTab
	connectionsTab
	tabs
)

var tabNames = [tabs]string{"Findings", "Exchanges", "Overview", "Connections"}

// A screen is everything that is seen, and what keys do to it. It knows no
// terminal: keys come as words, what is to be done outside goes out as an action.
type screen struct {
	theme    theme
	title    string
	inputs   func(int) string
	bindings []binding
	w, h     int
	snap     store.Snapshot
	tab      int
	lists    [tabs]list // overviewTab's is unused
	overview overview
	figures  *figures
	details  []detail // the last one is seen, esc goes to the one before
	conn     *connectionDetail
	helping  bool
	help     page
	choosing bool // a format for the list
	typed    string
	filter   query.Query
	// message stands in the footer until the next key; loading is how far the load is, "" when it is over.
	message, loading string
	stopping         bool
	// swift tells that keys come fast: the preview waits until they rest, so that scrolling sends little.
	swift bool
	// can names what can be done outside; the keys for the rest are not offered.
	can map[actKind]bool
}

// An action is something that is to be done outside.
type action struct {
	kind actKind
	text string // to copy, the exchange to extract, the format to write
}

type actKind uint8

const (
	actNone actKind = iota
	actQuit
	actStop
	actFilter
	actCopy
	actExtract
	actWrite
)

func newScreen(title string, inputs func(int) string, l look) *screen {
	s := &screen{theme: newTheme(l), title: title, inputs: inputs, bindings: bindings(), can: map[actKind]bool{actStop: true, actExtract: true, actWrite: true}, w: 80, h: 24, figures: &figures{}}
	s.lists[findingsTab] = newList(findingKind, 1)
	s.lists[exchangesTab] = newList(exchangeKind, 0)
	s.lists[connectionsTab] = newList(connectionKind, 0)
	return s
}

// list is the list that is shown, or the last one's when the overview is.
func (s *screen) list() *list {
	if s.tab == overviewTab {
		return &s.lists[findingsTab]
	}
	return &s.lists[s.tab]
}

// here is the place one is at.
func (s *screen) here() where {
	switch {
	case len(s.details) > 0:
		return inDetail
	case s.conn != nil:
		return inConnection
	}
	return inFindings << s.tab
}

func (s *screen) canStop() bool {
	return s.can[actStop] && !s.snap.Progress.Done && s.loading != "" && !s.stopping
}

// resize takes the size of the terminal.
func (s *screen) resize(w, h int) {
	s.w, s.h = w, h
	body := s.bodyLines()
	for i := range s.lists {
		if i != overviewTab {
			s.lists[i].resize(body - 1 - previewLines(h))
		}
	}
	s.overview.lines, s.help.lines = body, body
	for i := range s.details {
		s.details[i].lines = body
	}
	if s.conn != nil {
		s.conn.lines = body
	}
}

// bodyLines is the lines between the tabs and the footer.
func (s *screen) bodyLines() int { return s.h - 3 }

// pageLines is how far a page goes.
func (s *screen) pageLines() int {
	if s.here()&inLists != 0 {
		return s.list().lines
	}
	return max(1, s.bodyLines()-1)
}

// key does what a key does here.
func (s *screen) key(k string) action {
	s.message = ""
	if !s.swift {
		defer s.rest()
	}
	switch {
	case s.choosing:
		return s.chosen(k)
	case s.helping && (k == "esc" || k == "?" || k == "q" || k == "backspace"):
		s.helping = false
		return action{}
	case len(k) == 1 && "1" <= k && k <= "4":
		s.helping = false
		s.show(int(k[0] - '1'))
		return action{}
	}
	here := s.here()
	for i := range s.bindings {
		b := &s.bindings[i]
		if b.act == nil || !s.works(b, here) {
			continue
		}
		for _, name := range b.keys {
			if name == k {
				return b.act(s)
			}
		}
	}
	return action{}
}

// works tells whether a key works in a place.
func (s *screen) works(b *binding, here where) bool {
	return b.in&here != 0 && (b.needs == actNone || s.can[b.needs])
}

// rest brings the preview up to the selected line.
func (s *screen) rest() {
	for i := range s.lists {
		s.lists[i].rest()
	}
}

// show goes to a view.
func (s *screen) show(tab int) {
	s.tab, s.details, s.conn = tab, nil, nil
	s.resize(s.w, s.h)
}

// view draws the screen. It has no side effects but what it remembers of lines it has drawn, and depends on nothing but the screen;
// prompt is the lines in which something is typed, none for the footer.
func (s *screen) view(prompt []string) []string {
	if s.w < minWidth || s.h < minHeight {
		return tooSmall(s.w, s.h)
	}
	foot := prompt
	if len(prompt) == 0 {
		foot = []string{s.foot()}
	}
	body := s.body()
	body = body[:len(body)-len(foot)+1] // what is typed covers the end of the body
	lines := append(make([]string, 0, s.h), s.head(), s.tabLine())
	return append(append(lines, body...), foot...)
}

// tooSmall says how much room is needed, in the room there is.
func tooSmall(w, h int) []string {
	lines := wrap("expectscope needs "+itoa(minWidth)+" columns and "+itoa(minHeight)+" lines; here are "+itoa(w)+" and "+itoa(h)+". q quits.", max(w, 1))
	return lines[:max(0, min(len(lines), h))]
}

// head is the first line: what is read, what is in it, how far.
func (s *screen) head() string {
	wasted := s.lists[findingsTab].ix.total
	right := report.Grouped(int64(s.snap.Exchanges.Len())) + " exchanges, " + report.Grouped(int64(s.snap.Findings.Len())) + " findings"
	if sum := s.snap.Progress.Summary; sum != nil && sum.WastedBytes > 0 {
		right += ", " + report.Size(sum.WastedBytes) + " wasted"
	} else if wasted.wasted > 0 && s.typed == "" {
		right += ", " + report.Size(wasted.wasted) + " wasted"
	}
	if sum := s.snap.Progress.Summary; sum != nil && sum.Capture.Drops > 0 {
		right += ", " + report.Grouped(int64(sum.Capture.Drops)) + " packets dropped"
	}
	if s.loading != "" {
		right = s.loading + "  " + right
	}
	switch p := &s.snap.Progress; {
	case p.Stopped:
		right = "stopped early: " + right
	case p.Err != nil:
		right = "not read to its end: " + right
	}
	room := s.w - 16 - width(right)
	name := " expectscope  "
	if room < width(safe(s.title)) {
		name, room = " ", s.w-3-width(right)
	}
	return s.theme.bar.of(fit(name+fit(safe(s.title), max(room, 0), ends)+" "+right, s.w-1, left) + " ")
}

// tabLine is the second line: the views, and what the shown one shows.
func (s *screen) tabLine() string {
	line, used := "", 0
	for i, name := range tabNames {
		word := " " + itoa(i+1) + " " + name + " "
		used += len(word)
		if i == s.tab {
			word = s.theme.tab.of(word)
		}
		line += word
	}
	return line + s.theme.dim.of(fit(s.state(s.w-used-2), s.w-used, right))
}

// state says what the list that is shown shows, in at most w columns.
func (s *screen) state(w int) string {
	if s.tab == overviewTab {
		return ""
	}
	all := w
	l := s.list()
	count := report.Grouped(int64(len(l.ix.rows)))
	if s.here()&inPages != 0 {
		return s.place() + " of " + count
	}
	var words []string
	if k := l.spec.kind; k.groupings != nil && l.spec.group > 0 {
		words = append(words, "by "+k.groupings[l.spec.group].name)
	}
	if l.spec.sort >= 0 {
		words = append(words, "sorted by "+l.spec.kind.columns[l.spec.sort].title)
	}
	if s.tab == exchangesTab && !l.spec.all {
		words = append(words, "Expect only")
	}
	words = append(words, count+" shown")
	filter := ""
	if s.typed != "" {
		filter = "/" + safe(s.typed)
		w -= min(width(filter), w/2) + 2
	}
	for len(words) > 1 && width(strings.Join(words, ", ")) > w {
		words = words[1:]
	}
	said := cutTo(strings.Join(words, ", "), w)
	if filter != "" {
		return cutTo(filter, all-width(said)-2) + "  " + said
	}
	return said
}

// place is the number of the row whose page is shown, in the order of its list.
func (s *screen) place() string {
	l := s.list()
	pos := l.position(l.cursor)
	switch {
	case len(s.details) > 0:
		pos = s.details[0].row
	case s.conn != nil:
		pos = s.conn.pos
	}
	return report.Grouped(int64(slices.Index(l.ix.rows, pos) + 1))
}

// body is what is between.
func (s *screen) body() []string {
	w, h := s.w, s.bodyLines()
	switch {
	case s.helping:
		return s.help.view(s.helpLines(w), w, h)
	case len(s.details) > 0:
		d := &s.details[len(s.details)-1]
		return d.page.view(d.content(&s.theme, w, s.snap), w, h)
	case s.conn != nil:
		return s.conn.page.view(s.connContent(), w, h)
	case s.tab == overviewTab:
		return s.overview.page.view(s.overview.content(&s.theme, w, s.figures), w, h)
	}
	l := s.list()
	below := previewLines(s.h)
	if l.len() == 0 {
		return (&page{}).view(s.empty(), w, h)
	}
	body := l.view(&s.theme, w, h-below, s.snap)
	if below > 0 {
		body = append(body, l.preview(&s.theme, w, below, s.snap)...)
	}
	return body
}

// connContent is the lines of the connection's page.
func (s *screen) connContent() []string {
	cs := s.lists[connectionsTab].ix.conns
	if int(s.conn.pos) >= len(cs) {
		return nil
	}
	return s.conn.content(&s.theme, s.w, s.snap, &cs[s.conn.pos])
}

// empty says why a list has no rows.
func (s *screen) empty() []string {
	l := s.list()
	text := "Nothing was found."
	switch {
	case s.typed != "":
		text = "Nothing matches the filter. esc clears it."
	case !s.snap.Progress.Done:
		text = "Nothing yet."
	case s.snap.Exchanges.Len() == 0:
		text = "No HTTP request in this capture that has to do with Expect. 3 shows what was read."
	case s.tab == exchangesTab && !l.spec.all:
		text = "No exchange has to do with Expect. a shows all."
	case s.tab == findingsTab:
		text = "Nothing was found: the exchanges are in order. 2 lists them."
	}
	return append([]string{""}, wrap(text, s.w-2)...)
}

// foot is the last line.
func (s *screen) foot() string {
	switch {
	case s.choosing:
		return clip(" write the list as "+s.theme.key.of("n")+" ndjson  "+s.theme.key.of("c")+" csv (findings only)  "+s.theme.key.of("esc")+" leave it", s.w)
	case s.message != "":
		return clip(" "+s.message, s.w)
	}
	return s.footer(s.w)
}

// want is what a list is to show now.
func (s *screen) want(tab int) spec {
	w := s.lists[tab].spec
	w.filter, w.typed = s.filter, s.typed
	return w
}

// setFilter narrows all lists; the error of a query that cannot be read leaves them.
func (s *screen) setFilter(typed string) error {
	q, err := query.Parse(typed)
	if err != nil {
		return err
	}
	s.filter, s.typed = q, strings.TrimSpace(typed)
	return nil
}

func filterKeys() []query.Key { return query.Keys() }
