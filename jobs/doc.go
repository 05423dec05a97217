// Package jobs says what runs and when.
//
//	config.go, load.go, validate.go  rollcall.yaml
//	nightly.go                       the recipe of the main job: read it first
//	runner.go                        a job, once
//	summary.go                       what a person reads at the end of a run
//	schedule.go                      the jobs by their cron schedules
//	replay.go, transcript.go         whole nights as test cases, and all that a night produced as text
//	check.go                         what rollcall check finds before a run does
package jobs
