// Command bench writes a directory as LDIF, contacts as JSONL and a configuration for a run of a
// given size, always the same for the same size: `go run ./testdata/bench DIR 100000`, then
// `rollcall run nightly --config DIR/rollcall.yaml`. Two users in three have a contact with their
// e-mail, one in six one with their names, and one contact in fifty shares its e-mail.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

func main() {
	if err := generate(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

const config = `data_dir: ./data
jobs:
  nightly: {kind: nightly}
organizations:
  - id: 1001
    name: Bench
    collectors:
      - {name: hq, ldif: hq.ldif}
    contacts: {jsonl: contacts.jsonl}
`

func generate(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: bench DIR N")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("read N: %w", err)
	}
	if err := os.MkdirAll(args[0], 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(args[0], "rollcall.yaml"), []byte(config), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return errors.Join(
		write(filepath.Join(args[0], "hq.ldif"), n, user),
		write(filepath.Join(args[0], "contacts.jsonl"), n, contact))
}

func write(path string, n int, line func(w *bufio.Writer, i int)) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	w := bufio.NewWriterSize(file, 1<<20)
	for i := range n {
		line(w, i)
	}
	return errors.Join(w.Flush(), file.Close())
}

func names(i int) (first, last string) {
	firsts := [...]string{"Ann", "José", "Łukasz", "Mary", "Søren", "Bob", "Zoë", "Ivan"}
	return firsts[i%len(firsts)], "Name" + strconv.Itoa(i/3)
}

func user(w *bufio.Writer, i int) {
	first, last := names(i)
	var guid [16]byte
	copy(guid[:], "bench-rollcall")
	binary.BigEndian.PutUint32(guid[12:], uint32(i)) //nolint:gosec // far below 2^32
	fmt.Fprintf(w, "dn: CN=u%d,OU=People,DC=bench,DC=example\nobjectClass: user\nsAMAccountType: 805306368\nobjectGUID:: %s\n"+
		"sAMAccountName: u%d\nuserPrincipalName: u%d@bench.example\ngivenName:: %s\nsn: %s\nmail: u%d@bench.example\n"+
		"title: Clerk\ndepartment: D%d\ntelephoneNumber: +1 555 %07d\nuserAccountControl: %d\nmsDS-User-Account-Control-Computed: 0\n"+
		"accountExpires: 9223372036854775807\nlastLogon: %d\nlastLogonTimestamp: 134000000000000000\npwdLastSet: 133900000000000000\n"+
		"msDS-UserPasswordExpiryTimeComputed: 134100000000000000\nwhenCreated: 20240101000000.0Z\nproxyAddresses: SMTP:u%d@bench.example\nproxyAddresses: smtp:alias%d@bench.example\n\n",
		i, base64.StdEncoding.EncodeToString(guid[:]), i, i, base64.StdEncoding.EncodeToString([]byte(first)), last, i,
		i%40, i, 512+2*(i%25/24), 134000000000000000+int64(i)*10000000, i, i)
}

func contact(w *bufio.Writer, i int) {
	first, last := names(i)
	mail := fmt.Sprintf("u%d@bench.example", i)
	switch {
	case i%50 == 0:
		mail = fmt.Sprintf("u%d@bench.example", i+1)
	case i%6 == 4:
		mail = fmt.Sprintf("old%d@bench.example", i)
	case i%6 == 5:
		first, mail = "Nobody", fmt.Sprintf("nobody%d@bench.example", i)
	}
	fmt.Fprintf(w, `{"id":%d,"organization_id":1001,"first_name":%q,"last_name":%q,"title":"Clerk","emails":[{"value":%q,"primary":true,"label":"Work"}],"phones":[{"value":"+1 555 %07d","primary":true,"label":"Direct"}],"psa_id":"%d"}`+"\n",
		i+1, first, last, mail, i, i)
}
