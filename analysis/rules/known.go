package rules

import "strings"

// KnownClient is the piece of a User-Agent field, from index from up to to, by which the software is known whose
// remedies a finding names; 0, 0 when it is not known. The rest of the field changes no remedy.
func KnownClient(field string) (from, to int) { return known(clients, field) }

// KnownServer is the same of a Server field.
func KnownServer(field string) (from, to int) { return known(servers, field) }

func known(marks []mark, field string) (from, to int) {
	text := "^" + lower(field) + "$"
	for _, m := range marks {
		if i := strings.Index(text, m.text); i >= 0 {
			return max(i-1, 0), min(i-1+len(m.text), len(field))
		}
	}
	return 0, 0
}

// lower is strings.ToLower for ASCII alone: the length stays.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
