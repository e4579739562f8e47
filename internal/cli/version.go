package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/vdaf"
)

// versionInfo says which program this is; hosts compare it before a cycle.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified"` // built from a tree with changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
	VDAF     int    `json:"vdaf_version"`
	DAP      string `json:"dap"`
}

// String returns the program's name, version and revision in one line.
func (v versionInfo) String() string {
	revision := v.Revision
	if v.Modified {
		revision += ", modified"
	}
	return fmt.Sprintf("muster %s (%s)", v.Version, revision)
}

func newVersionCmd(env Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and the standards spoken",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			if asJSON {
				return json.NewEncoder(env.Out).Encode(v)
			}
			_, err := fmt.Fprintf(env.Out, "%s\n%s %s\nspeaks %s and VDAF version %d\n", v, v.Go, v.Platform, v.DAP, v.VDAF)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func readVersion() versionInfo {
	v := versionInfo{
		Version: "devel", Revision: "unknown revision", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		VDAF: vdaf.Version, DAP: dap.Variant18.Tag(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
