package jobs

import (
	"fmt"
	"path/filepath"
	"testing"
)

func TestPrint(t *testing.T) {
	paths, _ := filepath.Glob("../testdata/config/*.bad.yaml")
	for _, p := range paths {
		_, err := LoadConfig(p)
		fmt.Printf("%-40s %v\n", filepath.Base(p), err)
	}
}
