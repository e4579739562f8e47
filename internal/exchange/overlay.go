package exchange

import (
	"fmt"
	"io"
	"strings"
)

// RegisterRows are the rows of both tables of a register, as they stand there.
type RegisterRows struct{ Services, Requirements [][]string }

// ReadRegisterRows reads both tables without asking what their cells mean.
func ReadRegisterRows(servicesName string, services io.Reader, requirementsName string, requirements io.Reader) (rows RegisterRows, err error) {
	if rows.Services, err = Services.Rows(servicesName, services); err != nil {
		return rows, err
	}
	rows.Requirements, err = Requirements.Rows(requirementsName, requirements)
	return rows, err
}

// Dependencies returns the tables of what bodies of a member said, for a register in
// which some of their suppliers may stand already, and what the tables could not
// take; see [WriteDependencies].
func (r *Register) Dependencies(d Dependencies) (rows RegisterRows, left []string, err error) {
	for i := range r.Services {
		d.Known = append(d.Known, NamedService{r.Services[i].ID, r.about[i].name})
	}
	var services, requirements strings.Builder
	if left, err = WriteDependencies(&services, &requirements, d); err != nil {
		return rows, nil, err
	}
	// A table without rows would be a fault of a file: all bodies may stand in the
	// register already.
	one := func(t Table, text string) ([][]string, error) {
		if text == t.header()+"\n" {
			return nil, nil
		}
		return t.Rows("form", strings.NewReader(text))
	}
	if rows.Services, err = one(Services, services.String()); err != nil {
		return rows, nil, err
	}
	rows.Requirements, err = one(Requirements, requirements.String())
	return rows, left, err
}

// OverlayName stands for a table that is laid over another in the messages about it.
const OverlayName = "own rows"

// Overlay returns a register with the rows of others laid over it: those of one
// member, say, over what many share. Nothing in the tables below changes. A row that
// names a service twice is refused as in one table; its line counts the rows of both.
func Overlay(shared RegisterRows, own ...RegisterRows) (*Register, error) {
	all := RegisterRows{Services: shared.Services, Requirements: shared.Requirements}
	for _, o := range own {
		all.Services = append(all.Services[:len(all.Services):len(all.Services)], o.Services...)
		all.Requirements = append(all.Requirements[:len(all.Requirements):len(all.Requirements)], o.Requirements...)
	}
	var services, requirements strings.Builder
	if err := Services.WriteCSV(&services, all.Services); err != nil {
		return nil, fmt.Errorf("lay over the services: %w", err)
	}
	if err := Requirements.WriteCSV(&requirements, all.Requirements); err != nil {
		return nil, fmt.Errorf("lay over the requirements: %w", err)
	}
	return ReadRegister("services with "+OverlayName, strings.NewReader(services.String()), "requirements with "+OverlayName, strings.NewReader(requirements.String()))
}
