package analysis

import "strings"

// IsMethod tells whether s is a method of IANA's HTTP Method Registry that is in use: no secret of anybody's.
func IsMethod(s string) bool { return listed(methods, s) }

// IsReason tells whether s is a reason phrase of the standard, and so says nothing of its own: none at all is one.
func IsReason(s string) bool { return s == "" || listed(reasons, s) }

func listed(list, s string) bool {
	return !strings.Contains(s, "|") && strings.Contains(list, "|"+s+"|")
}

// methods are those of IANA's HTTP Method Registry that are in use.
const methods = "|GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|ACL|BIND|CHECKIN|CHECKOUT|COPY|LABEL|LINK|LOCK|MERGE|MKACTIVITY|" +
	"MKCALENDAR|MKCOL|MKREDIRECTREF|MKWORKSPACE|MOVE|ORDERPATCH|PRI|PROPFIND|PROPPATCH|QUERY|REBIND|REPORT|SEARCH|UNBIND|UNCHECKOUT|" +
	"UNLINK|UNLOCK|UPDATE|UPDATEREDIRECTREF|VERSION-CONTROL|"

// reasons are the reason phrases of RFC 9110, Section 15, and of the status codes that stand beside them in IANA's registry.
const reasons = "|Continue|Switching Protocols|Processing|Early Hints|OK|Created|Accepted|Non-Authoritative Information|No Content|" +
	"Reset Content|Partial Content|Multi-Status|Multiple Choices|Moved Permanently|Found|See Other|Not Modified|Temporary Redirect|" +
	"Permanent Redirect|Bad Request|Unauthorized|Payment Required|Forbidden|Not Found|Method Not Allowed|Not Acceptable|" +
	"Proxy Authentication Required|Request Timeout|Conflict|Gone|Length Required|Precondition Failed|Content Too Large|" +
	"Payload Too Large|Request Entity Too Large|URI Too Long|Unsupported Media Type|Range Not Satisfiable|Expectation Failed|" +
	"Misdirected Request|Unprocessable Content|Locked|Too Early|Upgrade Required|Precondition Required|Too Many Requests|" +
	"Request Header Fields Too Large|Internal Server Error|Not Implemented|Bad Gateway|Service Unavailable|Gateway Timeout|" +
	"HTTP Version Not Supported|Insufficient Storage|Network Authentication Required|"
