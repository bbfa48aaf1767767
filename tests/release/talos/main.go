// Reads an unpacked extension as Talos does, and prints its name: talos FOLDER TALOS_VERSION.
package main

import (
	"fmt"
	"os"

	"github.com/blang/semver/v4"
	"github.com/siderolabs/talos/pkg/machinery/extensions"
)

func main() {
	version := semver.MustParse(os.Args[2])
	extension, err := extensions.Load(os.Args[1])
	if err == nil {
		err = extension.Validate(extensions.WithValidateConstraints(), extensions.WithValidateContents(),
			extensions.WithTalosVersion(&version))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(extension.Manifest.Metadata.Name, extension.Manifest.Metadata.Version)
}
