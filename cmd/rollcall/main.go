// Command rollcall calls the roll every night: who is in Active Directory, who is in the
// documented contacts, what changed since yesterday. Everything is wired in this package, a
// file per verb; main is one statement so that tests call what it calls.
package main

import "os"

func main() {
	os.Exit(do(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}
