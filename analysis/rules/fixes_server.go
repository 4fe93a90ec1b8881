package rules

import "expectscope/analysis"

// serverFixes are the keys that the owner of a server or proxy applies: s-100,
// s-late100 (when to say 100), s-close, s-linger (how to refuse), s-10,
// s-same, s-limit, s-size, s-strict, s-update (what to accept, from whom), p-100, p-dup, p-apache
// (which hop answers), s-log, see-status (where to look on).
var serverFixes = map[analysis.FixKey]fix{
	"s-100": {
		general: "server or proxy: answer Expect: 100-continue at once, with 100 or the final status; neither with 417 nor with silence",
		by: map[string]string{
			"nginx":       "nginx: answers 100 by itself as soon as it reads a body; look for a rule on $http_expect or a \"return 417\"",
			"httpd":       "Apache httpd: look for a RewriteRule or handler that returns 417; by itself it refuses only other expectations",
			"haproxy":     "HAProxy: option http-buffer-request answers 100 by itself; look for an http-request return or deny with status 417",
			"squid":       "Squid 4 or newer: force_request_body_continuation allow all; older: ignore_expect_100 on",
			"lighttpd":    "lighttpd: update: today's releases answer 100 and ignore server.reject-expect-100-with-417",
			"ats":         "Traffic Server: proxy.config.http.send_100_continue_response 1",
			"envoy":       "Envoy: leave proxy_100_continue off: it then answers 100 by itself",
			"tomcat":      "Tomcat: continueResponseTiming=\"immediately\" on the Connector",
			"jetty":       "Jetty: call request.getInputStream() early: that sends the 100",
			"kestrel":     "Kestrel: read Request.Body early: the first read sends the 100",
			"nodejs":      "Node: without a 'checkContinue' listener it answers 100 by itself; with one call response.writeContinue()",
			"http.server": "Python http.server: protocol_version = 'HTTP/1.1' in the handler class; with HTTP/1.0 it stays silent",
		},
	},
	"s-late100": {
		general: "server: check credentials, size and target before saying 100; a proxy: forward Expect and let the origin decide",
		by: map[string]string{
			"nginx":       "nginx: refuse in nginx itself (auth_request, client_max_body_size, limit_except); it says 100 before it asks an upstream",
			"httpd":       "Apache httpd: Proxy100Continue On, so that the origin decides",
			"haproxy":     "HAProxy: keep wait-for-body away from such requests: http-request wait-for-body ... unless { req.hdr(Expect) -m found }",
			"varnish":     "Varnish: std.late_100_continue(true) in vcl_recv",
			"h2o":         "h2o: proxy.expect: FORWARD",
			"envoy":       "Envoy: proxy_100_continue: true",
			"tomcat":      "Tomcat: continueResponseTiming=\"onRead\" on the Connector",
			"lighttpd":    "lighttpd: refuse in lighttpd itself (mod_access, mod_auth); its proxy says 100 before it asks the back end",
			"jetty":       "Jetty: decide before request.getInputStream(): that sends the 100",
			"kestrel":     "Kestrel: decide before the first read of Request.Body: that sends the 100",
			"nodejs":      "Node: decide in the 'checkContinue' event, before response.writeContinue()",
			"aiohttp":     "aiohttp: decide in the route's expect_handler",
			"http.server": "Python http.server: decide in handle_expect_100",
		},
	},
	"s-close": {
		general: "server: send Connection: close with every refusal that leaves a body unread",
		by: map[string]string{
			"nginx":   "nginx: keepalive_timeout 0 in the location that refuses",
			"haproxy": "HAProxy: option httpclose in the frontend that takes the uploads",
			"squid":   "Squid: client_persistent_connections off",
			"varnish": "Varnish: set resp.http.Connection = \"close\" in vcl_synth and vcl_deliver where the status refuses an upload",
			"nodejs":  "Node: response.setHeader('Connection', 'close') before the refusal",
			"aiohttp": "aiohttp: response.force_close() on the refusal",
		},
	},
	"s-linger": {
		general: "server: after the refusal half-close and read on for a while, so that no reset overtakes the answer",
		by:      map[string]string{"nginx": "nginx: lingering_close always, and a lingering_time that covers the upload"},
	},
	"s-10": {
		general: "server or proxy: never send a 1xx to an HTTP/1.0 client; update",
		by:      map[string]string{"h2o": "h2o: update: 2.2.5 sends 100 to HTTP/1.0 clients"},
	},
	"s-update": {
		general: "server or proxy: update to a current release",
		by: map[string]string{
			"ats":      "Traffic Server: update to 9.2.9, 10.0.4 or newer (CVE-2024-56202)",
			"undertow": "Undertow: update to 2.1.1 or newer (CVE-2020-10705)",
			"h2o":      "h2o: update: 2.2.5 is old",
		},
	},
	"s-size": {
		general: "server or proxy: raise the limit for uploads at every hop, if such uploads are meant to pass, and refuse the others with 413",
		by: map[string]string{
			"nginx":    "nginx: client_max_body_size (default 1m)",
			"httpd":    "Apache httpd: LimitRequestBody (default 1 GiB)",
			"squid":    "Squid: request_body_max_size",
			"lighttpd": "lighttpd: server.max-request-size",
			"h2o":      "h2o: limit-request-body",
			"tomcat":   "Tomcat: maxPostSize and maxSwallowSize on the Connector",
			"jetty":    "Jetty: SizeLimitHandler, or maxFormContentSize for forms",
			"undertow": "Undertow: MAX_ENTITY_SIZE (WildFly: max-post-size)",
			"kestrel":  "Kestrel: KestrelServerLimits.MaxRequestBodySize (default 30,000,000 bytes)",
			"aiohttp":  "aiohttp: web.Application(client_max_size=...)",
		},
	},
	"s-same": {
		general: "server or proxy: make all back ends behind one name answer Expect alike; find the one whose answers are 417 by its log",
	},
	"s-limit": {
		general: "server: limit open requests and connections of one client, and the time a body may take to begin",
		by: map[string]string{
			"nginx":   "nginx: limit_conn per $binary_remote_addr, and a short client_body_timeout",
			"httpd":   "Apache httpd: mod_reqtimeout (RequestReadTimeout body=20,MinRate=500)",
			"haproxy": "HAProxy: timeout http-request, and a stick-table with conn_cur to deny the client's next ones",
		},
	},
	"s-strict": {
		general: "server or proxy: answer 400 to any Expect but a plain 100-continue, to a body on GET, HEAD or OPTIONS, and to folded fields",
		by: map[string]string{
			"nginx":   "nginx: if ($http_expect !~* \"^(100-continue)?$\") { return 400; }",
			"httpd":   "Apache httpd: RewriteCond %{HTTP:Expect} !^(100-continue)?$ [NC] and RewriteRule ^ - [R=400]",
			"haproxy": "HAProxy: http-request deny deny_status 400 if { req.hdr(Expect) -m found } !{ req.hdr(Expect) -m str -i 100-continue }",
		},
	},
	"p-100": {
		general: "proxy: forward Expect and the origin's 100, or take Expect off and answer 100 itself; not half of either",
		by:      oneHop,
	},
	"p-dup": {general: "proxies: let exactly one hop answer 100; the others forward it or take Expect off", by: oneHop},
	"p-apache": {
		general: "proxy: look whether the next hop adds an Expect of its own; Apache mod_proxy: drop ping= from ProxyPass, Proxy100Continue Off",
		by:      map[string]string{"httpd": "Apache httpd: drop ping= from ProxyPass, Proxy100Continue Off"},
	},
	"s-log":      {general: "server: look into its error log and its read and upstream timeouts at that time"},
	"see-status": {general: "server: look up why the repeat got this status; Expect is not the reason any more"},
}

// oneHop is how a proxy keeps the answer to Expect to one hop.
var oneHop = map[string]string{
	"nginx":   "nginx: takes Expect off and answers 100 itself: let no hop in front of it do the same",
	"haproxy": "HAProxy: http-request del-header Expect, with option http-buffer-request",
	"httpd":   "Apache httpd: Proxy100Continue Off, drop ping= from ProxyPass",
	"envoy":   "Envoy: proxy_100_continue: true forwards Expect and the 100; off, Envoy answers",
}
