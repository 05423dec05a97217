package jobs_test

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the tests start this binary as a rollcall that is killed at a chosen point.
func TestMain(m *testing.M) {
	if point := os.Getenv(killPointVariable); point != "" {
		fmt.Fprintln(os.Stderr, runAndDie(os.Getenv(killFolderVariable), point))
		os.Exit(3) // the point was never reached
	}
	os.Exit(m.Run())
}
