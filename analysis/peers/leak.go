package peers

import (
	"slices"
	"strings"

	"expectscope/analysis"
)

// maxNames bounds the field names that are kept of a target: with more, nothing is claimed of it.
const maxNames = 64

// A target is where final responses are compared: those behind a 100 with those without.
type target struct {
	authority, method, path string
	status                  int
	behind, plain           int
	always                  []string // names all behind a 100 have
	others                  []string // names any of the others has
	full                    bool
	samples                 []analysis.Sample
	stands                  *analysis.Exchange
}

// leak is what the comparison says.
func (t *target) leak() analysis.Leak {
	l := analysis.Leak{Behind: t.behind, Plain: t.plain, Samples: t.samples}
	if t.behind < analysis.LeakSamples || t.plain < analysis.LeakSamples || t.full {
		return l
	}
	for _, name := range t.always {
		if !slices.Contains(t.others, name) {
			l.Fields = append(l.Fields, name)
		}
	}
	slices.Sort(l.Fields)
	return l
}

// compare takes note of the fields of a final response.
func (c *client) compare(m *Memory, x *analysis.Exchange) {
	if x.Final == nil || len(x.Doubtful(analysis.PartRequest|analysis.PartInterim|analysis.PartFinal)) > 0 {
		return
	}
	t := c.target(m, x)
	names := m.namesOf(x.Final)
	if x.Continue() == nil {
		t.plain++
		for _, name := range names {
			if slices.Contains(t.others, name) {
				continue
			}
			if t.full = t.full || len(t.others) >= maxNames; !t.full {
				t.others = append(t.others, name)
			}
		}
		return
	}
	if t.behind++; t.behind == 1 {
		t.always = append(t.always, names[:min(len(names), maxNames)]...)
	}
	t.always = slices.DeleteFunc(t.always, func(name string) bool { return !slices.Contains(names, name) })
	if len(t.samples) < analysis.MaxSamples {
		t.samples = append(slices.Clip(t.samples), sample(x))
	}
	if t.stands == nil && len(t.leak().Fields) > 0 {
		t.stands = x
		m.stand(x).target = t
	}
}

// ordinary are fields that come and go with the message and not with who let it pass.
var ordinary = []string{
	"age", "connection", "content-encoding", "content-language", "content-length", "content-range", "content-type", "date", "etag", "expires",
	"keep-alive", "last-modified", "location", "retry-after", "set-cookie", "trailer", "transfer-encoding", "upgrade", "vary",
}

// maxWords and maxWord bound the vocabulary: how many, and how long.
const maxWords, maxWord = 1024, 64

// A vocabulary holds names of fields, as sent, in lower case, "" for ordinary ones: messages have few, and the same again and again.
type vocabulary map[string]string

func (v vocabulary) lower(name string) string {
	if l, ok := v[name]; ok {
		return l
	}
	name = strings.Clone(name)
	l := strings.ToLower(name)
	if slices.Contains(ordinary, l) {
		l = ""
	}
	if len(v) < maxWords && len(name) <= maxWord {
		v[name] = l
	}
	return l
}

// namesOf are the names of a message's fields in lower case, but for the ordinary ones; valid until the next call, the names for good.
func (m *Memory) namesOf(message *analysis.Message) []string {
	m.names = m.names[:0]
	for f := range message.Lines() {
		if name := m.words.lower(f.Name); name != "" && !slices.Contains(m.names, name) {
			m.names = append(m.names, name)
		}
	}
	return m.names
}

// target is the entry of a target and a status, which was asked just now.
func (c *client) target(m *Memory, x *analysis.Exchange) *target {
	path, _, _ := strings.Cut(x.Request.Target, "?")
	authority := strings.ToLower(x.Authority())
	i := slices.IndexFunc(c.targets, func(t *target) bool {
		return t.path == path && t.status == x.Final.Status && t.method == x.Request.Method && t.authority == authority
	})
	if i >= 0 {
		t := c.targets[i]
		c.targets = append(slices.Delete(c.targets, i, i+1), t)
		return t
	}
	if len(c.targets) == maxPlaces {
		// Uploads go to ever new targets, so that this is the ordinary course and nothing to warn of.
		m.give(c.targets[0].stands)
		c.targets = slices.Delete(c.targets, 0, 1)
	}
	t := &target{authority: strings.Clone(authority), method: strings.Clone(x.Request.Method), path: strings.Clone(path), status: x.Final.Status}
	c.targets = append(c.targets, t)
	return t
}
