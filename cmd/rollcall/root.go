package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"rollcall/jobs"
	"rollcall/pipeline"
)

// Exit codes (design section 10).
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitPartial    = 3
	exitHeld       = 4
	exitAnotherRun = 5
)

type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what the verbs share.
type app struct {
	streams

	configPath string
	logLevel   string
	clock      func() time.Time
	memory     memory.Allocator
	// status is how the run of a verb ended, if it ran one.
	status pipeline.Status
}

// do runs rollcall with the given arguments and returns the exit code.
func do(args []string, s streams) int {
	// Everything that is written is personal data: no file for anybody else, DuckDB's included.
	privateFiles()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(ctx, args, &app{streams: s, clock: time.Now, memory: memory.DefaultAllocator})
}

func execute(ctx context.Context, args []string, a *app) int {
	root := a.root() //nolint:contextcheck // the verbs take the context that ExecuteContext hands them
	root.SetArgs(withLongUpdate(args))
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(a.err, "rollcall: %v\n", err)
	}
	return a.exitCode(err)
}

// withLongUpdate lets `replay -update` mean what it means to Go's own tools.
func withLongUpdate(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "-update" {
			args[i] = "--update"
		}
	}
	return args
}

func (a *app) exitCode(err error) int {
	var usage *usageError
	switch {
	case errors.Is(err, pipeline.ErrAnotherRun):
		return exitAnotherRun
	case errors.As(err, &usage), errors.Is(err, jobs.ErrConfig), errors.Is(err, jobs.ErrUsage),
		errors.Is(err, pipeline.ErrComplete), errors.Is(err, pipeline.ErrTimeBackwards):
		return exitUsage
	case err != nil:
		return exitFailed
	case a.status == pipeline.Held:
		return exitHeld
	case a.status == pipeline.Partial:
		return exitPartial
	case a.status == pipeline.Failed:
		return exitFailed
	default:
		return exitDone
	}
}

// usageError is a wrong call of a verb.
type usageError struct{ error }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "rollcall",
		Short: "Match Active Directory users with documented contacts, every night",
		Long: `rollcall reads Active Directory users and documented contacts, links them by e-mail and by
name, and tells what changed: as delta files, PSA push files and a DuckDB file for analysts.

Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 partial (an organization was
unavailable), 4 held by the guard, 5 another run is going on.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("no verb %q; see rollcall --help", args[0])
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.PersistentFlags().StringVar(&a.configPath, "config", "rollcall.yaml", "configuration `FILE`")
	root.PersistentFlags().StringVar(&a.logLevel, "log-level", "", "debug, info, warn or error (default: warn on a terminal, else info)")
	root.AddCommand(a.runVerb(), a.serveVerb(), a.checkVerb(), a.usersVerb(), a.explainVerb(), a.collectorsVerb(), a.queryVerb(),
		a.decisionsVerb(), a.runsVerb(), a.dictionaryVerb(), a.replayVerb(), a.demoVerb())
	root.AddCommand(a.decideVerbs()...)
	for _, verb := range root.Commands() {
		verb.Args = asUsage(verb.Args)
	}
	return root
}

// asUsage makes a wrong number of arguments a usage error.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		check = cobra.NoArgs
	}
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{err}
		}
		return nil
	}
}

// outside is the world as the verbs hand it to jobs.
func (a *app) outside() (jobs.Outside, error) {
	log, err := a.logger()
	if err != nil {
		return jobs.Outside{}, err
	}
	return jobs.Outside{Clock: a.clock, Environment: os.LookupEnv, Memory: a.memory, Log: log, Out: a.out}, nil
}

// logger writes structured logs to standard error. On a terminal a person reads the summary and
// the progress instead, so only warnings show there.
func (a *app) logger() (zerolog.Logger, error) {
	text := a.logLevel
	if text == "" {
		text = "info"
		if a.onTerminal() {
			text = "warn"
		}
	}
	level, err := zerolog.ParseLevel(text)
	if err != nil {
		return zerolog.Nop(), usagef("--log-level must be debug, info, warn or error (got %q)", text)
	}
	w := zerolog.SyncWriter(a.err) // collectors log side by side
	if a.onTerminal() {
		w = zerolog.SyncWriter(zerolog.ConsoleWriter{Out: a.err, TimeFormat: time.TimeOnly})
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger(), nil
}

func (a *app) onTerminal() bool {
	file, ok := a.err.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}

func (a *app) config() (*jobs.Config, error) { return jobs.LoadConfig(a.configPath) }
