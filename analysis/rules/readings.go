package rules

// Readers are the servers of [Readings], in the order of its columns. HAProxy stands in front of Go.
var Readers = [...]string{"nginx", "Apache", "lighttpd", "HAProxy", "Squid", "Varnish", "h2o", "Go"}

// A Reading is how eight servers read an odd value of Expect, each asked five times: nginx 1.22.1, Apache 2.4.71, lighttpd
// 1.4.69, HAProxy 2.6.12 before Go 1.26, Squid 5.7, Varnish 7.1.1, h2o 2.2.5, Go 1.26.
type Reading struct {
	Value string
	// By is what each of [Readers] does: "100" and "417" send it, "400" refuses, "417*" refuses once it has the
	// body, "-" says nothing and waits for the body.
	By [len(Readers)]string
}

// reading is a row of the table and the rules whose values it shows.
type reading struct {
	Reading
	of string
}

const (
	disguised = "expect-obfuscated"
	unknown   = "expect-unknown"
	empty     = "expect-empty"
	repeated  = "expect-duplicate"
)

// readings is the one table of measured readings. A row without a disguise stands by as the measure of the others.
var readings = []reading{
	{Reading{"100-CONTINUE", [8]string{"100", "100", "100", "100", "100", "100", "100", "100"}}, disguised},
	{Reading{"100-continue, tab around", [8]string{"-", "100", "100", "100", "100", "100", "417", "100"}}, disguised},
	{Reading{"y 100-continue", [8]string{"-", "417*", "-", "100", "417", "417", "417", "100"}}, disguised},
	{Reading{"100-continue, x", [8]string{"-", "417*", "-", "100", "417", "417", "417", "100"}}, disguised},
	{Reading{"x, 100-continue", [8]string{"-", "417*", "-", "100", "417", "417", "417", "100"}}, disguised},
	{Reading{",100-continue", [8]string{"-", "417*", "-", "100", "417", "417", "417", "100"}}, disguised},
	{Reading{"100-continue;q=1", [8]string{"-", "417*", "-", "417", "417", "417", "417", "417"}}, disguised},
	{Reading{"100-continue=1", [8]string{"-", "417*", "-", "417", "417", "417", "417", "417"}}, disguised},
	{Reading{`"100-continue"`, [8]string{"-", "417*", "-", "417", "417", "417", "417", "417"}}, disguised},
	{Reading{"100-continue, folded", [8]string{"400", "100", "-", "100", "100", "100", "417", "100"}}, disguised},
	{Reading{"Expect : 100-continue", [8]string{"400", "400", "400", "400", "400", "400", "400", "400"}}, disguised},
	{Reading{"200-ok", [8]string{"-", "417*", "-", "417", "417", "417", "417", "417"}}, unknown},
	{Reading{"(no value)", [8]string{"-", "-", "-", "-", "417", "417", "417", "-"}}, empty},
	{Reading{"100-continue twice", [8]string{"400", "417*", "-", "100", "417", "100", "100", "100"}}, repeated},
	{Reading{"x then 100-continue", [8]string{"400", "417*", "-", "417", "417", "417", "100", "417"}}, repeated},
	{Reading{"100-continue then x", [8]string{"400", "417*", "-", "100", "417", "100", "417", "100"}}, repeated},
}

// Readings are the rows of measured readings that belong to the rule with that id, nil for most rules.
func Readings(id string) []Reading {
	var rows []Reading
	for _, r := range readings {
		if r.of == id {
			rows = append(rows, r.Reading)
		}
	}
	return rows
}
