package query

import (
	"slices"
	"strings"
)

// Complete lists how the last word of s may go on: whole queries that begin with s, best first, at most max. values gives what is
// there to choose behind a key that has no fixed list (rules, servers, …), nil for nothing.
func Complete(s string, values func(key string) []string, max int) []string {
	start := lastWord(s)
	before, last := s[:start], s[start:]
	minus := ""
	if body, ok := strings.CutPrefix(last, "-"); ok {
		minus, last = "-", body
	}
	name, op, value := cut(last)
	var out []string
	offer := func(word string) {
		if full := before + minus + word; len(out) < max && full != s && !slices.Contains(out, full) {
			out = append(out, full)
		}
	}
	if op == "" {
		if last == "" {
			return nil
		}
		for i := range keys {
			if strings.HasPrefix(keys[i].name, last) {
				offer(keys[i].name + keys[i].operator())
			}
		}
		return out
	}
	k := keyNamed(name)
	if k == nil {
		return nil
	}
	choice := k.values
	if len(choice) == 0 && values != nil {
		choice = values(k.name)
	}
	prefix, part := name+op, value
	if n := strings.LastIndexByte(value, ','); n >= 0 && !k.whole {
		prefix, part = prefix+value[:n+1], value[n+1:]
	}
	for _, v := range choice {
		if strings.HasPrefix(v, strings.TrimPrefix(part, `"`)) {
			offer(prefix + quote(v))
		}
	}
	return out
}

// operator is what one most likely writes behind the key.
func (k *key) operator() string {
	if k.ordered && len(k.values) == 0 && k.name != "status" {
		return ">"
	}
	return ":"
}

// quote puts quotes around a value that would not be one word.
func quote(v string) string {
	if strings.ContainsAny(v, " \t") {
		return `"` + v + `"`
	}
	return v
}

// lastWord is where the last word of s begins, len(s) behind a space.
func lastWord(s string) int {
	at := 0
	for {
		rest := strings.TrimLeft(s[at:], " \t")
		at = len(s) - len(rest)
		n := wordEnd(rest)
		if at+n == len(s) {
			return at
		}
		at += n
	}
}
