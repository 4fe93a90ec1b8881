package analysis

import "testing"

// TestClassifyExpect goes through every disguise of rules.md, section 3d, as the field lines are sent.
func TestClassifyExpect(t *testing.T) {
	for _, c := range []struct {
		name, fields string
		want         ExpectClass
	}{
		{"no Expect", "Host: a\r\n", NoExpect},
		{"another name", "X-Expect: 100-continue\r\n", NoExpect},
		{"plain", "Expect: 100-continue\r\n", ExactExpect},
		{"case of the value", "Expect: 100-CONTINUE\r\n", ExactExpect},
		{"case of the name", "EXPECT: 100-Continue\r\n", ExactExpect},
		{"white space around", "Expect:\t 100-continue \t\r\n", ExactExpect},
		{"no white space", "Expect:100-continue\r\n", ExactExpect},
		{"line ends with LF alone", "Expect: 100-continue\n", ExactExpect},

		{"list", "Expect: 100-continue, x\r\n", ListExpect},
		{"list, last", "Expect: x, 100-Continue\r\n", ListExpect},
		{"list, empty member", "Expect: ,100-continue\r\n", ListExpect},
		{"list, tabs", "Expect: x,\t100-continue\t,y\r\n", ListExpect},
		{"list beside a disguise", "Expect: y 100-continue, 100-continue\r\n", ListExpect},
		{"two equal lines", "Expect: 100-continue\r\nExpect: 100-continue\r\n", ListExpect},
		{"two lines, last", "Expect: x\r\nHost: a\r\nexpect: 100-continue\r\n", ListExpect},
		{"two lines, one empty", "Expect:\r\nExpect: 100-continue\r\n", ListExpect},

		{"prefix", "Expect: y 100-continue\r\n", ObfuscatedExpect},
		{"suffix", "Expect: 100-continue x\r\n", ObfuscatedExpect},
		{"glued", "Expect: 100-continued\r\n", ObfuscatedExpect},
		{"parameter", "Expect: 100-continue;q=1\r\n", ObfuscatedExpect},
		{"value", "Expect: 100-continue=1\r\n", ObfuscatedExpect},
		{"quoted", "Expect: \"100-continue\"\r\n", ObfuscatedExpect},
		{"quoted once", "Expect: '100-continue'\r\n", ObfuscatedExpect},
		{"quoted inside", "Expect: \"100-\\continue\"\r\n", ObfuscatedExpect},
		{"fold before", "Expect:\r\n 100-continue\r\n", ObfuscatedExpect},
		{"fold inside", "Expect: 100-\r\n\tcontinue\r\n", ObfuscatedExpect},
		{"fold before a list", "Expect: x,\r\n 100-continue\r\n", ObfuscatedExpect},
		{"space before the colon", "Expect : 100-continue\r\n", ObfuscatedExpect},
		{"tab before the colon", "Expect\t: 100-continue\r\n", ObfuscatedExpect},
		{"one of two lines spaced", "Expect: x\r\nExpect : 100-continue\r\n", ObfuscatedExpect},
		{"control in front", "Expect: \x0b100-continue\r\n", ObfuscatedExpect},
		{"control inside", "Expect: 100-\x00continue\r\n", ObfuscatedExpect},
		{"control behind", "Expect: 100-continue\x7f\r\n", ObfuscatedExpect},
		{"CR inside", "Expect: 100-\rcontinue\r\n", ObfuscatedExpect},
		{"inner white space", "Expect: 100 - continue\r\n", ObfuscatedExpect},

		{"empty", "Expect:\r\n", EmptyExpect},
		{"white space", "Expect: \t \r\n", EmptyExpect},
		{"empty list", "Expect: , ,\r\n", EmptyExpect},
		{"two empty lines", "Expect:\r\nExpect:\r\n", EmptyExpect},

		{"other", "Expect: 200-ok\r\n", UnknownExpect},
		{"number alone", "Expect: 100\r\n", UnknownExpect},
		{"other dash", "Expect: 100\u2010continue\r\n", UnknownExpect},
		{"markup", "Expect: <script>alert(1)</script>\r\n", UnknownExpect},
	} {
		m := Message{Fields: ParseFields("PUT / HTTP/1.1\r\n" + c.fields + "\r\n")}
		if got := m.ExpectClass(); got != c.want {
			t.Errorf("%s: %q is %q, want %q", c.name, c.fields, got, c.want)
		}
	}
}

// Only the plain value and a list member ask for a 100.
func TestExpects(t *testing.T) {
	for c, want := range map[ExpectClass]bool{
		NoExpect: false, ExactExpect: true, ListExpect: true,
		ObfuscatedExpect: false, EmptyExpect: false, UnknownExpect: false,
	} {
		if got := c.Expects(); got != want {
			t.Errorf("%q expects: %v", c, got)
		}
	}
}

// Expect and Get read the field in any case, and say when there is none.
func TestExpectValue(t *testing.T) {
	m := Message{Fields: ParseFields("PUT / HTTP/1.1\r\nexpect: a\r\nHost: h\r\nEXPECT: b\r\n\r\n")}
	if v, ok := m.Expect(); v != "a, b" || !ok {
		t.Errorf("Expect is %q, %v", v, ok)
	}
	if v, ok := m.Get("Expect"); v != "a" || !ok {
		t.Errorf("the first line is %q, %v", v, ok)
	}
	if v, ok := (&Message{}).Expect(); v != "" || ok {
		t.Errorf("no Expect is %q, %v", v, ok)
	}
	if vs := m.Values("Cookie"); vs != nil {
		t.Errorf("values of a field that is not there: %q", vs)
	}
}
