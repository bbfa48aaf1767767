// Puts patches into a machine configuration as talosctl does, by Talos' own code: an unknown field is an error.
//
// Usage: talos VERSION PATCH; the configuration is a worker's as this version of Talos generates it. Prints what Talos
// writes as the kubelet's CredentialProviderConfig.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/constants"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A node that is neither a container nor installed by this configuration.
type mode struct{}

func (mode) String() string        { return "cloud" }
func (mode) RequiresInstall() bool { return false }
func (mode) InContainer() bool     { return false }

func main() {
	log.SetFlags(0)
	contract, err := config.ParseContractFromVersion(os.Args[1])
	check(err)
	input, err := generate.NewInput("cluster", "https://192.0.2.10:6443", constants.DefaultKubernetesVersion,
		generate.WithVersionContract(contract))
	check(err)
	generated, err := input.Config(machine.TypeWorker)
	check(err)
	patches, err := configpatcher.LoadPatches([]string{"@" + os.Args[2]})
	check(err)
	patched, err := configpatcher.Apply(configpatcher.WithConfig(generated), patches)
	check(err)
	result, err := patched.Config()
	check(err)
	_, err = result.Validate(mode{})
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(result.K8sCredentialProviderConfig().Configuration()))
}
