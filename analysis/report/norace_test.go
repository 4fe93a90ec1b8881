//go:build !race

package report

// racing tells that the race detector is on, which makes variables escape that otherwise do not.
const racing = false
