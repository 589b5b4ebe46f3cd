// Generate writes the schema table of Kubernetes: every type that the API serves or nests, with what decoding,
// patching, server-side apply, protobuf and OpenAPI must know of it. Types and tags come from the Go structs by
// reflection, markers and descriptions from the comments in their source. Run it by `cargo xtask generate`.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// groups are the group versions whose kinds the table holds.
var groups = []func(*runtime.Scheme) error{
	admissionregistrationv1.AddToScheme, appsv1.AddToScheme, authenticationv1.AddToScheme, authorizationv1.AddToScheme,
	autoscalingv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme, certificatesv1.AddToScheme,
	certificatesv1beta1.AddToScheme, coordinationv1.AddToScheme, corev1.AddToScheme, discoveryv1.AddToScheme,
	eventsv1.AddToScheme, flowcontrolv1.AddToScheme, networkingv1.AddToScheme, nodev1.AddToScheme, policyv1.AddToScheme,
	rbacv1.AddToScheme, resourcev1.AddToScheme, schedulingv1.AddToScheme, storagev1.AddToScheme,
	apiextensionsv1.AddToScheme, apiregistrationv1.AddToScheme,
}

// others are types that no scheme lists.
var others = []any{
	metav1.Status{}, metav1.APIGroup{}, metav1.APIGroupList{}, metav1.APIVersions{}, metav1.APIResourceList{},
	metav1.Patch{}, metav1.WatchEvent{}, metav1.DeleteOptions{}, metav1.Time{}, metav1.MicroTime{}, metav1.FieldsV1{},
	metav1.Table{}, metav1.PartialObjectMetadata{}, metav1.PartialObjectMetadataList{}, version.Info{},
}

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: generate DIRECTORY"))
	}
	scheme := runtime.NewScheme()
	for _, add := range groups {
		if err := add(scheme); err != nil {
			fail(err)
		}
	}
	walk := newWalk()
	for _, kind := range scheme.AllKnownTypes() {
		// Internal versions have no place on the wire.
		if !strings.HasSuffix(kind.PkgPath(), "/internalversion") {
			walk.structure(kind)
		}
	}
	for _, other := range others {
		walk.structure(reflect.TypeOf(other))
	}
	table, texts := walk.emit()
	write(filepath.Join(os.Args[1], "schema.txt"), table)
	write(filepath.Join(os.Args[1], "descriptions.txt"), texts)
}

func write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "generate:", err)
	os.Exit(1)
}
