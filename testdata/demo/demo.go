// Package demo holds the example that `rollcall demo` plays: three organizations, two nights.
//
//	rollcall.yaml   the configuration; ${NAME} stands for the URL of the controller of that name
//	nightN/ad       what each controller serves from that night on, an LDIF export each
//	nightN/contacts the contacts as documented that night
//	nightN/decisions.jsonl  what people had decided by then
//
// A night sees the files of the night before, unless it brings its own. People, organizations
// and addresses are invented; every domain is below .example.
package demo

import "embed"

// Files are the configuration and the nights.
//
//go:embed rollcall.yaml night1 night2
var Files embed.FS
