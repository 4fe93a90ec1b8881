//go:build race

package rules

// racing tells that the race detector is on, which makes variables escape that otherwise do not.
const racing = true
