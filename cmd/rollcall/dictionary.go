package main

import (
	"github.com/spf13/cobra"

	"rollcall/schemas"
)

func (a *app) dictionaryVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "dictionary",
		Short: "Write the data dictionary as Markdown (docs/dictionary.md)",
		RunE: func(*cobra.Command, []string) error {
			return schemas.WriteDictionary(a.out)
		},
	}
}
