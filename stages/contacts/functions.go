package contacts

import (
	"context"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"

	"rollcall/pipeline"
	"rollcall/schemas/keys"
)

// textFunction is a scalar function from text to text for the scripts; an empty result is NULL.
// SQL has neither NFKC nor case folding, so the keys are made in Go, where the users' are.
type textFunction struct {
	varchar   duckdb.TypeInfo
	normalise func(string) string
}

// Config declares one VARCHAR in, one out; NULL in gives NULL.
func (f textFunction) Config() duckdb.ScalarFuncConfig {
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{f.varchar}, ResultTypeInfo: f.varchar}
}

// Executor works on whole vectors.
func (f textFunction) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{ChunkContextExecutor: func(_ context.Context, state *duckdb.ChunkIteratorState) error {
		vector, err := state.GetInputChunk().GetVector(0)
		if err != nil {
			return fmt.Errorf("make keys: %w", err)
		}
		in, err := duckdb.GetVectorView[string](vector)
		if err != nil {
			return fmt.Errorf("make keys: %w", err)
		}
		out, err := duckdb.GetVectorWriter[string](state.GetResultVector())
		if err != nil {
			return fmt.Errorf("make keys: %w", err)
		}
		for row := range in.Len() {
			value, valid, err := in.GetValueBorrowed(row)
			if err != nil {
				return fmt.Errorf("make keys: %w", err)
			}
			key := ""
			if valid {
				key = f.normalise(value)
			}
			if key == "" {
				err = out.SetNull(row)
			} else {
				err = out.Set(row, key)
			}
			if err != nil {
				return fmt.Errorf("make keys: %w", err)
			}
		}
		return nil
	}}
}

// registerFunctions makes email_key and name_key known to the scripts.
func registerFunctions(store *pipeline.Store) error {
	varchar, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	if err != nil {
		return fmt.Errorf("register the key functions: %w", err)
	}
	return store.Functions(map[string]duckdb.ScalarFunc{
		"email_key": textFunction{varchar, keys.Email},
		"name_key":  textFunction{varchar, keys.Name},
	})
}
