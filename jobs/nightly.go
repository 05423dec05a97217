package jobs

import (
	"context"
	"time"

	"rollcall/pipeline"
	"rollcall/schemas"
	"rollcall/stages/contacts"
	"rollcall/stages/delta"
	"rollcall/stages/match"
	"rollcall/stages/push"
	"rollcall/stages/users"
)

// nightly is the main job: who is in Active Directory, who is in the contacts, what changed.
func nightly(name string, config *Config, outside Outside, now time.Time) pipeline.Recipe {
	return pipeline.Recipe{
		Job: name,
		Extract: []pipeline.Stage{
			settings(config),
			users.Extract(collectors(config, outside, now), config.Limits.Collectors),
			contacts.Extract(sources(config)),
			match.Decisions(decisionsPath(config)),
		},
		Stages: []pipeline.Stage{
			users.Merge(),
			contacts.Next(),
			match.Stage(),
			delta.Stage(),
			push.Stage(),
		},
		Account: delta.Account(),
		Loads:   loads(),
	}
}

// loads write the files of any committed run, an interrupted one included.
func loads() []pipeline.Load { return []pipeline.Load{delta.Files, push.Files} }

// settings tells the scripts the organizations and their policies.
func settings(config *Config) pipeline.Stage {
	return pipeline.Stage{Name: "settings", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		w := r.Store.Writer(schemas.Settings)
		defer w.Release()
		for _, o := range config.Organizations {
			if err := w.Append(ctx, o.ID, o.Name, pipeline.Text(o.PSA.Kind), o.PSA.TwoWaySync, pipeline.Text(o.PSA.EmailType), pipeline.Text(o.PSA.PhoneType),
				o.Match.Aliases, o.Create, o.Fill.FirstName, o.Fill.LastName, o.Fill.Title, o.Fill.Email, o.Fill.Phone,
				float64(o.Guard.MaxDrop), o.Guard.MaxCreates, o.Guard.MaxUnlinks); err != nil {
				return 0, err
			}
		}
		return int64(len(config.Organizations)), w.Flush(ctx)
	}}
}

// sources are the contact files, each once: a file that several organizations share is read
// once for all of them. A CSV without a column for the organization belongs to one alone.
func sources(config *Config) []contacts.Source {
	var all []contacts.Source
	places := map[string]int{}
	for _, o := range config.Organizations {
		input := o.Contacts.source
		shared := input.Format != contacts.CSV
		place, known := places[string(input.Format)+"\x00"+input.Path]
		if shared && known {
			all[place].Organizations = append(all[place].Organizations, o.ID)
			continue
		}
		places[string(input.Format)+"\x00"+input.Path] = len(all)
		all = append(all, contacts.Source{Input: input, Organizations: []int64{o.ID}})
	}
	return all
}
