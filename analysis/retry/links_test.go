package retry

import (
	"testing"
)

func TestPrefix(t *testing.T) { check(t, prefixes) }

var prefixes = []sentence{
	{"bodies that begin differently undo a link across connections", `
		r A 0 PUT /up 100 Expect
		r body 11
		r 417 20
		c B 21 PUT /up 100
		c body 12
		c closed
		settle 90000`, `r none certain`},
	{"also when the refused body is known last", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 PUT /up 100 | Cookie: x
		c body 12
		r body 11
		r closed
		settle 90000`, `r none certain`},
	{"equal beginnings and unknown ones undo nothing", `
		r A 0 PUT /up 100 Expect
		r body 11 0
		r 417 20
		c B 21 PUT /up 100
		c body 11 12
		c closed
		settle 90000`, `r new-connection by c address +1 likely: only the client's address ties the two requests`},
	{"on one connection the repeat may carry the rest of a file", `
		r A 0 PUT /up 100 Expect
		r body 11
		r 417 20
		c A 21 PUT /up 100
		c body 12
		c closed
		settle 90000`, `r same-connection by c conn +1 certain`},
	{"the refused one takes the other request it could have been", `
		r A 0 PUT /up 100 Expect
		r body 11
		r 417 20
		c B 21 PUT /up 100
		d C 22 PUT /up 100
		c body 12
		c closed
		settle 90000`, `r new-connection by d address +2 likely: only the client's address ties the two requests`},
	{"and of several the best", `
		r A 0 PUT /up 100 Expect | Cookie: x
		r body 11
		r 417 20
		c B 21 PUT /up 100 | Cookie: x
		d C 22 PUT /up 100
		e D 23 PUT /up 100 | Cookie: x
		c body 12
		c closed
		settle 90000`, `r new-connection by e credential +3 likely`},
	{"the freed request takes another refused one", `
		r A 0 PUT /up 100 Expect
		r body 11
		r 417 20
		q B 0 PUT /up 100 Expect
		q 417 20
		c C 21 PUT /up 100 | Cookie: x
		c body 12
		c closed
		settle 90000`, `
		r none likely: one of 2 equal requests that were refused was repeated, and which one is not known
		q new-connection by c address +1 likely: only the client's address ties the two requests`},
	{"one that is free again has its old place", `
		r A 0 PUT /up 100 Expect
		r 417 20
		q B 0 PUT /up 100 Expect
		q 417 21
		c A 22 PUT /up 100
		c revoked
		d D 23 PUT /up 100
		settle 90000`, `
		r new-connection by d address +3 likely: only the client's address ties the two requests
		q none likely: one of 2 equal requests that were refused was repeated, and which one is not known`},
	{"unless that one is repeated already", `
		r A 0 PUT /up 100 Expect
		r body 11
		r 417 20
		q B 0 PUT /up 100 Expect
		q body 12
		q 417 20
		c C 21 PUT /up 100
		d D 22 PUT /up 100
		c body 12
		c closed
		settle 90000`, `
		r none likely: one of 2 equal requests that were refused was repeated, and which one is not known
		q new-connection by d address +2 likely: only the client's address ties the two requests`},
}

func TestOneToOne(t *testing.T) { check(t, oneToOne) }

var oneToOne = []sentence{
	{"the same connection wins over an older refusal", `
		r A 0 PUT /up 100 Expect | User-Agent: curl
		r 417 20
		q B 0 PUT /up 100 Expect | User-Agent: curl
		q 417 20
		c B 21 PUT /up 100 | User-Agent: curl
		settle 90000`, `
		r none certain
		q same-connection by c conn +1 certain`},
	{"a key wins over credentials, those over an agent, that over the address", `
		o A 0 PUT /up 100 Expect
		o 417 20
		p B 0 PUT /up 100 Expect | User-Agent: curl
		p 417 20
		q C 0 PUT /up 100 Expect | User-Agent: curl | Authorization: x
		q 417 20
		r D 0 PUT /up 100 Expect | User-Agent: curl | Idempotency-Key: 7
		r 417 20
		c E 21 PUT /up 100 | User-Agent: curl | Authorization: x | Idempotency-Key: 7
		d F 22 PUT /up 100 | User-Agent: curl | Authorization: x | Idempotency-Key: 7
		e G 23 PUT /up 100 | User-Agent: curl | Authorization: x | Idempotency-Key: 7
		f H 24 PUT /up 100 | User-Agent: curl | Authorization: x | Idempotency-Key: 7
		settle 90000`, `
		o new-connection by f address +4 likely: only the client's address ties the two requests
		p new-connection by e agent +3 likely
		q new-connection by d credential +2 likely
		r new-connection by c key +1 certain`},
	{"a cookie counts as much, unless the authorization differs", `
		q A 0 PUT /up 100 Expect | Cookie: x | Authorization: y
		q 417 20
		r B 0 PUT /up 100 Expect | Cookie: x
		r 417 20
		c C 21 PUT /up 100 | Cookie: x | Authorization: z
		settle 90000`, `
		q none certain
		r new-connection by c credential +1 likely`},
	{"inside a tier the oldest refusal is first, and then it is a guess", `
		q A 1 PUT /up 100 Expect | Idempotency-Key: 7
		r B 0 PUT /up 100 Expect | Idempotency-Key: 7
		r 417 20
		q 417 21
		c C 22 PUT /up 100 | Idempotency-Key: 7
		settle 90000`, `
		q none likely: one of 2 equal requests that were refused was repeated, and which one is not known
		r new-connection by c key +2 likely: one of 2 equal requests that were refused was repeated, and which one is not known`},
	{"of three refused and two repeats one is left over", `
		p A 0 PUT /up 100 Expect | User-Agent: curl
		p 417 20
		q B 1 PUT /up 100 Expect | User-Agent: curl
		q 417 21
		r C 2 PUT /up 100 Expect | User-Agent: curl
		r 417 22
		c D 23 PUT /up 100 | User-Agent: curl
		d E 24 PUT /up 100 | User-Agent: curl
		settle 90000`, `
		p new-connection by c agent +3 likely: one of 3 equal requests that were refused was repeated, and which one is not known
		q new-connection by d agent +3 likely: one of 3 equal requests that were refused was repeated, and which one is not known
		r none likely: one of 3 equal requests that were refused was repeated, and which one is not known`},
	{"a second repeat of one request repeats nothing", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100
		d B 22 PUT /up 100
		settle 90000`, `r same-connection by c conn +1 certain`},
	{"by the address alone only where one agent speaks", `
		r A 0 PUT /up 100 Expect | Host: a
		r 417 20
		x B 21 GET / 0 | Host: a | User-Agent: curl
		y C 22 GET / 0 | Host: a | User-Agent: wget
		c D 23 PUT /up 100 | Host: a
		settle 90000`, `r new-connection by c address +3 inconclusive: several clients share this address`},
	{"or one cookie", `
		r A 0 PUT /up 100 Expect | Host: a | Cookie: 1
		r 417 20
		c D 23 PUT /up 100 | Host: a | Cookie: 2
		settle 90000`, `r new-connection by c address +3 inconclusive: several clients share this address`},
	{"who speaks to another host does not matter", `
		r A 0 PUT /up 100 Expect | Host: a
		r 417 20
		x B 21 GET / 0 | Host: b | User-Agent: curl
		y C 22 GET / 0 | Host: c | User-Agent: wget
		c D 23 PUT /up 100 | Host: a
		settle 90000`, `r new-connection by c address +3 likely: only the client's address ties the two requests`},
	{"a stronger tie holds behind a shared address", `
		r A 0 PUT /up 100 Expect | User-Agent: curl
		r 417 20
		y C 22 GET / 0 | User-Agent: wget
		c D 23 PUT /up 100 | User-Agent: curl
		settle 90000`, `r new-connection by c agent +3 likely`},
}

func TestRevoked(t *testing.T) { check(t, revoked) }

// Whatever the times say, a repeat is told of after its original, and no chain becomes a ring.
func TestClockSetBack(t *testing.T) {
	check(t, []sentence{{"an original does not take its own origin for a repeat", `
		p A 0 PUT /up 100 Expect
		p 417 20
		r B 30 PUT /up 100
		s C 40000 PUT /up 100 Expect
		s 417 41
		o D 42 PUT /up 100 Expect
		o body 1
		o 417 43
		c E 44 PUT /up 100
		c body 2
		c closed
		settle 90000`, `
		p new-connection by r address +10 likely: only the client's address ties the two requests
		s new-connection by o address +1 likely: only the client's address ties the two requests
		o none certain`}})
}

var revoked = []sentence{
	{"a repeat that was content is none", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100
		c revoked
		settle 90000`, `r none certain`},
	{"and another takes its place", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100
		c revoked
		d B 22 PUT /up 100
		settle 90000`, `r new-connection by d address +2 likely: only the client's address ties the two requests`},
	{"also one that came before", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 PUT /up 100
		d C 22 PUT /up 100
		c revoked
		settle 90000`, `r new-connection by d address +2 likely: only the client's address ties the two requests`},
	{"a refused one that was content sets its repeat free", `
		q A 0 PUT /up 100 Expect
		q 417 20
		r B 0 PUT /up 100 Expect | Cookie: x
		r 417 20
		c C 21 PUT /up 100 | Cookie: x
		r revoked
		settle 90000`, `q new-connection by c address +1 likely: only the client's address ties the two requests`},
	{"one in the middle of a chain leaves two ends", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100 Expect
		c 417 22
		d A 23 PUT /up 100
		c revoked
		settle 90000`, `r same-connection by d conn +3 certain`},
}
