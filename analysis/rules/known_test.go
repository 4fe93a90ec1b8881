package rules

import "testing"

func TestKnown(t *testing.T) {
	for _, c := range []struct {
		find        func(string) (int, int)
		field, want string
	}{
		{KnownClient, "curl/8.5.0", "curl/"},
		{KnownClient, "Boto3/1.34 md/Botocore#1.34", "Botocore"}, // the first of the table, not of the field
		{KnownClient, "git/2.43", "git/"},
		{KnownClient, "legit/2.43", ""},
		{KnownClient, "node", "node"},
		{KnownClient, "", ""},
		{KnownClient, "İstanbul Go-http-client/1.1", "Go-http-client"}, // its lower case is longer
		{KnownServer, "nginx", "nginx"},
		{KnownServer, "Apache-Coyote/1.1", "Coyote"},
		{KnownServer, "in-house", ""},
	} {
		from, to := c.find(c.field)
		if got := c.field[from:to]; got != c.want {
			t.Errorf("%q: %q, want %q", c.field, got, c.want)
		}
	}
}

// What is known of a field is all that its remedies need.
func TestKnownIsAllThatCounts(t *testing.T) {
	for _, marks := range [][]mark{clients, servers} {
		for _, m := range marks {
			field := "a " + trimMark(m.text) + " b"
			if m.text[0] == '^' {
				field = field[2:]
			}
			if m.text[len(m.text)-1] == '$' {
				field = field[:len(field)-2]
			}
			from, to := known(marks, field)
			rest := []byte(field)
			for i := range rest {
				if i < from || i >= to {
					rest[i] = 'x'
				}
			}
			if got, want := recognise(marks, string(rest)), recognise(marks, field); got != want || want == "" {
				t.Errorf("%q is %q, and of %q only %q", field, want, rest, got)
			}
		}
	}
}

func trimMark(s string) string {
	if s[0] == '^' {
		s = s[1:]
	}
	if s[len(s)-1] == '$' {
		s = s[:len(s)-1]
	}
	return s
}
