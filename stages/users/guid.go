package users

import (
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
)

// parseGUID reads the 16 octets of an objectGUID. Its first three fields are little-endian
// (MS-DTYP 2.3.4.2), unlike those of a UUID on the wire.
func parseGUID(value []byte) (string, error) {
	if len(value) != 16 {
		return "", fmt.Errorf("%d octets instead of 16", len(value))
	}
	var id uuid.UUID
	binary.BigEndian.PutUint32(id[0:4], binary.LittleEndian.Uint32(value[0:4]))
	binary.BigEndian.PutUint16(id[4:6], binary.LittleEndian.Uint16(value[4:6]))
	binary.BigEndian.PutUint16(id[6:8], binary.LittleEndian.Uint16(value[6:8]))
	copy(id[8:], value[8:])
	if id == uuid.Nil {
		return "", fmt.Errorf("all octets are zero")
	}
	return id.String(), nil
}
