package jobs

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"rollcall/pipeline"
)

//go:embed summary.sql
var summarySQL string

// Summary is what a person reads at the end of a run.
type Summary struct {
	RunID         string
	Status        pipeline.Status
	DryRun        bool
	DataDir       string
	Organizations []OrganizationSummary
}

// OrganizationSummary is one line of it.
type OrganizationSummary struct {
	ID                                       int64
	Name, Status                             string
	Users, Matched, Ignored, Unavailable     int64
	Reasons                                  string // "no_candidate 3, ambiguous_name 1"
	Unmatched                                int64
	MatchDeltas, EnrichmentDeltas, Creations int64
	Pushed, Rejected, NotEligible            int64
	Exclusions                               string // "disabled 5, trust 2"
	Message                                  string
}

func summarise(ctx context.Context, r *pipeline.Run, status pipeline.Status) (Summary, error) {
	s := Summary{RunID: r.ID, Status: status, DryRun: r.DryRun}
	err := r.Store.Query(ctx, func(scan func(...any) error) error {
		var o OrganizationSummary
		if err := scan(&o.ID, &o.Name, &o.Status, &o.Users, &o.Matched, &o.Ignored, &o.Unavailable, &o.Reasons, &o.Unmatched,
			&o.MatchDeltas, &o.EnrichmentDeltas, &o.Creations, &o.Pushed, &o.Rejected, &o.NotEligible, &o.Exclusions, &o.Message); err != nil {
			return err
		}
		s.Organizations = append(s.Organizations, o)
		return nil
	}, summarySQL)
	return s, err
}

// Write writes the summary as text.
func (s Summary) Write(w io.Writer) error {
	title := fmt.Sprintf("Run %s: %s", s.RunID, s.Status)
	if s.DryRun {
		title += " (dry run: nothing was committed or written; this is what would change)"
	}
	fmt.Fprintf(w, "%s\n\n", title)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "organization\tstatus\tusers\tmatched\tunmatched\tignored\tunavailable\tmatch deltas\tenrichments\tcreated\tpushed\trejected\tnot eligible")
	for _, o := range s.Organizations {
		fmt.Fprintf(table, "%d %s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", o.ID, o.Name, o.Status,
			o.Users, o.Matched, o.Unmatched, o.Ignored, o.Unavailable, o.MatchDeltas, o.EnrichmentDeltas, o.Creations, o.Pushed, o.Rejected, o.NotEligible)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	for _, o := range s.Organizations {
		if o.Reasons != "" {
			would := ""
			if o.Status == "held" {
				would = "would be "
			}
			fmt.Fprintf(w, "  %d %sunmatched: %s\n", o.ID, would, o.Reasons)
		}
		if o.Exclusions != "" {
			fmt.Fprintf(w, "  %d left out: %s\n", o.ID, o.Exclusions)
		}
		if o.Message != "" {
			kind := o.Status
			if kind == string(pipeline.Succeeded) {
				kind = "note"
			}
			fmt.Fprintf(w, "  %d %s: %s\n", o.ID, kind, o.Message)
		}
	}
	if s.DryRun {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n  files      %s\n  published  %s\n",
		filepath.Join(s.DataDir, "runs", s.RunID), filepath.Join(s.DataDir, "published", "rollcall.duckdb"))
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}
