package rules

import (
	"maps"

	"expectscope/analysis"
)

// fixes is what each key of a rule's Fix stands for.
var fixes = func() map[analysis.FixKey]fix {
	all := maps.Clone(clientFixes)
	maps.Copy(all, serverFixes)
	return all
}()

// clientFixes are the keys that a client's owner applies: c-off, c-on (who asks
// at all), c-wait, c-timeout (how long), c-auth, c-url (do not need a refusal), c-retry, c-redirect,
// c-key, c-backoff, c-split, c-close (after one), c-final, c-stop (what else goes on the connection).
var clientFixes = map[analysis.FixKey]fix{
	"c-off": {
		general: "client: do not send Expect (curl -H 'Expect:'; .NET ExpectContinue = false; elsewhere drop the header)",
		by: map[string]string{
			"curl":         "curl: -H 'Expect:' (in libcurl \"Expect:\" in CURLOPT_HTTPHEADER)",
			"git":          "git: remove the Expect line from http.extraHeader",
			"guzzle":       "Guzzle: request option 'expect' => false",
			"go":           "Go: drop req.Header.Set(\"Expect\", ...); net/http never adds it by itself",
			"apache-java4": "Apache HttpClient: RequestConfig.custom().setExpectContinueEnabled(false)",
			"apache-java5": "Apache HttpClient: RequestConfig.custom().setExpectContinueEnabled(false)",
			"java-client":  "Java HttpClient: drop .expectContinue(true) from the request's builder",
			"java-url":     "Java HttpURLConnection: drop setRequestProperty(\"Expect\", ...)",
			"okhttp":       "OkHttp: drop the Expect header from the request's builder",
			"dotnet":       ".NET: DefaultRequestHeaders.ExpectContinue = false; .NET Framework: ServicePointManager.Expect100Continue = false",
			"eager":        "client: drop the Expect header; this library does not wait for its answer",
			"node":         "Node: drop the Expect header from the request's options",
			"boto":         "boto3: client.meta.events.unregister('before-call.s3', botocore.handlers.add_expect_header)",
			"aws-java2":    "AWS SDK for Java 2: S3Configuration expectContinueEnabled(false)",
			"aws-java1":    "AWS SDK for Java 1: ClientConfiguration.withUseExpectContinue(false)",
			"aws-kotlin":   "AWS SDK for Kotlin: continueHeaderThresholdBytes = null (default 2 MB)",
			"aws-go2":      "AWS SDK for Go 2: s3.Options.ContinueHeaderThresholdBytes = -1 (default 2 MB)",
			"aws-go1":      "AWS SDK for Go 1: aws.Config.S3Disable100Continue = aws.Bool(true)",
			"aws-js":       "AWS SDK for JavaScript 3: expectContinueHeader: false in the S3 client's options",
		},
	},
	"c-on": {
		general: "client: send Expect: 100-continue with bodies above about 1 MiB, and with those only",
		by: map[string]string{
			"curl":         "curl: let it decide: without -H 'Expect: ...' it asks for bodies above 1 MiB",
			"go":           "Go: req.Header.Set(\"Expect\", \"100-continue\") for bodies above about 1 MiB only, with Transport.ExpectContinueTimeout > 0",
			"dotnet":       ".NET: request.Headers.ExpectContinue = true on requests with bodies above about 1 MiB only",
			"apache-java4": "Apache HttpClient: setExpectContinueEnabled(true) in the RequestConfig of bodies above about 1 MiB only",
			"apache-java5": "Apache HttpClient: setExpectContinueEnabled(true) in the RequestConfig of bodies above about 1 MiB only",
			"boto":         "boto3: BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE=true leaves Expect out of requests without a body",
			"aws-java2":    "AWS SDK for Java 2: S3Configuration expectContinueThresholdInBytes (1 MB is the default of releases that have it)",
			"aws-kotlin":   "AWS SDK for Kotlin: continueHeaderThresholdBytes (default 2 MB)",
			"aws-go2":      "AWS SDK for Go 2: s3.Options.ContinueHeaderThresholdBytes (default 2 MB)",
		},
	},
	"c-wait":    {general: "client: wait for 100 or a final status before the first byte of the body", by: waits},
	"c-timeout": {general: "client: bound the wait for 100, and set it above the server's usual time to answer", by: waits},
	"c-final":   {general: "client: send the next request when the final answer to this one is there, or on another connection"},
	"c-stop":    {general: "client: read the answer while sending; once it says Connection: close, send nothing more on that connection"},
	"c-url":     {general: "client: use the final URL, the one the redirect names"},
	"c-auth": {
		general: "client: send the credentials with the first request, or learn the challenge with an empty one",
		by: map[string]string{
			"curl":         "curl: name the scheme (--basic, --digest) instead of --anyauth, so that no body goes out to learn it",
			"dotnet":       ".NET: PreAuthenticate = true on the handler",
			"apache-java4": "Apache HttpClient: preemptive authentication with an AuthCache in the HttpClientContext",
			"apache-java5": "Apache HttpClient: preemptive authentication with an AuthCache in the HttpClientContext",
		},
	},
	"c-retry": {
		general: "client: on 417 send the same request once more at once, without Expect and with its body from the start",
		by: map[string]string{
			"curl":        "curl: repeats a 417 by itself without Expect, if curl added the field: do not set it with -H, and let the 417 keep the connection",
			"go":          "Go: on status 417 delete the Expect header, take a fresh body from req.GetBody, and send again; net/http does not",
			"dotnet":      ".NET: on status 417 send a new HttpRequestMessage with ExpectContinue = false and a fresh content",
			"java-client": "Java HttpClient: on status 417 send the request again from a builder without .expectContinue(true)",
			"java-url":    "Java HttpURLConnection: catch the ProtocolException and open the connection anew without Expect",
			"node":        "Node: on status 417 make a new request without the Expect header",
			"boto":        "boto3: repeat the call with the handler add_expect_header unregistered; botocore does not repeat a 417",
		},
	},
	"c-redirect": {
		general: "client: follow 307 and 308 with the same method and the same body",
		by: map[string]string{
			"curl": "curl: -L alone keeps the method of 307 and 308; look for a wrapper that sets it",
			"go":   "Go: set Request.GetBody, so that net/http can send the body again; a CheckRedirect of one's own must keep Method",
		},
	},
	"c-key": {
		general: "client: give each POST an Idempotency-Key that its repeats share, if the server knows it; else do not repeat by itself",
	},
	"c-backoff": {
		general: "client: wait as long as Retry-After says before the next attempt, and longer each time without it",
		by: map[string]string{
			"curl": "curl: --retry N honours Retry-After; a loop around curl does not",
			"boto": "boto3: Config(retries={'mode': 'adaptive'})",
		},
	},
	"c-split": {general: "client: send less at a time: in parts, by a multipart or resumable upload where the server has one"},
	"c-close": {
		general: "client: after a refusal send the rest of the announced body or close the connection; never reuse it without",
		by: map[string]string{
			"curl":        "curl: -H 'Expect:' (it keeps the connection after a 417 and does not send the announced body)",
			"go":          "Go: build with Go 1.22.5, 1.21.12 or newer (CVE-2024-24791)",
			"java-client": "Java HttpClient: drop .expectContinue(true); JDK 17 keeps the connection and does not send the announced body",
			"okhttp":      "OkHttp: update to a release that has pull request 3263",
		},
	},
}

// waits is how long a client waits for the 100.
var waits = map[string]string{
	"curl":         "curl: --expect100-timeout SECONDS (default 1; in libcurl CURLOPT_EXPECT_100_TIMEOUT_MS)",
	"go":           "Go: Transport.ExpectContinueTimeout (DefaultTransport: 1 s; 0 sends the body at once)",
	"dotnet":       ".NET: SocketsHttpHandler.Expect100ContinueTimeout (default 1 s)",
	"apache-java4": "Apache HttpClient: new HttpRequestExecutor(waitForContinueMillis) (default 3 s)",
	"apache-java5": "Apache HttpClient: Http1Config.custom().setWaitForContinueTimeout(...) (default 3 s)",
	"java-client":  "Java HttpClient: JDK 17 waits without end: set a timeout around the call, or drop .expectContinue(true)",
	"node":         "Node: send the body in the request's 'continue' event, with a timer of your own beside it",
	"eager":        "client: this library sends the body at once: drop Expect, or use one that waits for the answer",
}
