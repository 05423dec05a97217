package users

import (
	"context"

	"rollcall/pipeline"
	"rollcall/schemas"
	"rollcall/stages/users/directory"
)

// readOtherLogons asks the other controllers for the one attribute that none of them tells the
// others: lastLogon. One that does not answer is told of and takes nothing away.
func (k Collector) readOtherLogons(ctx context.Context, r *pipeline.Run, others []directory.Controller) ([]directory.Failure, error) {
	if len(others) == 0 {
		return nil, nil
	}
	logons := r.Store.Writer(schemas.ReadLogons)
	defer logons.Release()
	want := directory.Request{Filter: logonFilter, Attributes: []string{"objectGUID", "lastLogon"}}
	silent, err := k.Server.ReadOthers(ctx, others, want, func(e directory.Entry) error {
		a := attributeReader{entry: e}
		guid, at := a.guid(), a.ticksTime(attrLastLogon)
		if a.err != nil || at == nil {
			return nil //nolint:nilerr // the pinned controller's read judges entries; this one only adds to them
		}
		return logons.Append(ctx, k.Organization, k.Name, guid, *at)
	})
	if err != nil {
		return nil, err
	}
	return silent, logons.Flush(ctx)
}
