package store

import (
	"strings"

	"expectscope/analysis"
)

// maxShared bounds what an interner remembers; when it is full it starts anew.
const maxShared = 1 << 15

// longHead is from how many bytes on a head is not looked for: it is hardly ever sent twice.
const longHead = 2 << 10

// An interner makes equal message heads share memory. Clients repeat all but the first line of their heads, servers
// send the same head again and again, and the field lines taken apart are larger than the text they are taken from.
type interner struct {
	fields map[string][]analysis.Field  // by head behind the first line
	heads  map[string]*analysis.Message // responses by head
}

func newInterner() interner {
	return interner{fields: map[string][]analysis.Field{}, heads: map[string]*analysis.Message{}}
}

// request makes m share its fields with an earlier request that has the same ones.
func (in *interner) request(m *analysis.Message) {
	end := strings.IndexByte(m.Head, '\n') + 1
	rest := m.Head[end:]
	if end == 0 || len(rest) > longHead {
		return
	}
	if fs, ok := in.fields[rest]; ok {
		m.Fields = fs
		return
	}
	if len(in.fields) >= maxShared {
		clear(in.fields)
	}
	in.fields[rest] = m.Fields
}

// response makes m share its head with an earlier response that has the same one.
func (in *interner) response(m *analysis.Message) {
	if len(m.Head) == 0 || len(m.Head) > longHead {
		return
	}
	same, ok := in.heads[m.Head]
	if !ok {
		if len(in.heads) >= maxShared {
			clear(in.heads)
		}
		c := *m
		in.heads[m.Head] = &c
		return
	}
	m.Head, m.Version, m.Reason, m.Fields = same.Head, same.Version, same.Reason, same.Fields
}
