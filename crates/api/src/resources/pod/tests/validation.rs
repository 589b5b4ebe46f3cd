//! After `pkg/apis/core/validation/validation_test.go`; the names of the Go tests stand at each table.

use serde_json::{Value as Json, json};

use super::check::{create_errors, same, with_spec};

fn check(name: &str, spec: Json, wanted: &[&str]) {
    same(name, &create_errors(&with_spec(spec)), wanted);
}

/// A spec with one container of these fields.
fn container(fields: Json) -> Json {
    let mut one = json!({ "name": "c", "image": "i" });
    one.as_object_mut().expect("a container").extend(fields.as_object().cloned().expect("fields"));
    json!({ "containers": [one] })
}

/// A spec with one volume of this source.
fn volume(source: Json) -> Json {
    let mut one = json!({ "name": "v" });
    one.as_object_mut().expect("a volume").extend(source.as_object().cloned().expect("a source"));
    json!({ "volumes": [one] })
}

#[test]
fn environment() {
    // TestValidateEnv, TestValidateEnvFrom, TestRelaxedValidateEnv
    let e = "spec.containers[0].env[0]";
    let from = |source: Json| container(json!({ "env": [{ "name": "A", "valueFrom": source }] }));
    let field = |path: &str| from(json!({ "fieldRef": { "fieldPath": path } }));
    let resource = |fields: Json| from(json!({ "resourceFieldRef": fields }));
    let tell = |name: &str, spec: Json, wanted: &[String]| {
        check(name, spec, &wanted.iter().map(String::as_str).collect::<Vec<_>>());
    };
    check(
        "no name",
        container(json!({ "env": [{ "value": "a" }] })),
        &["spec.containers[0].env[0].name: Required value"],
    );
    for path in ["metadata.labels['a/b']", "metadata.annotations['A.b/C']", "spec.host", "status.hostIPs"] {
        check(path, field(path), &[]);
    }
    tell(
        "not for env",
        field("metadata.labels"),
        &[format!(
            "{e}.valueFrom.fieldRef.fieldPath: Unsupported value: \"metadata.labels\": supported values: \
         \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \
         \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\""
        )],
    );
    tell(
        "no subscript",
        field("metadata.name['a']"),
        &[format!(
            "{e}.valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name['a']\": error converting fieldPath: field \
         label does not support subscript: metadata.name['a']"
        )],
    );
    tell(
        "a bad label",
        field("metadata.labels['a b']"),
        &[format!("{e}.valueFrom.fieldRef: Invalid value: \"a b\": name part must consist of...")],
    );
    tell(
        "other version",
        from(json!({ "fieldRef": { "apiVersion": "v2", "fieldPath": "metadata.name" } })),
        &[format!(
            "{e}.valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name\": error converting fieldPath: unsupported \
         pod version: v2"
        )],
    );
    check("a limit", resource(json!({ "resource": "limits.cpu", "divisor": "1m" })), &[]);
    check("huge pages", resource(json!({ "resource": "limits.hugepages-2Mi" })), &[]);
    tell(
        "an unknown limit",
        resource(json!({ "resource": "limits.gpu" })),
        &[format!(
            "{e}.valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.gpu\": supported values: \"limits.cpu\", \
         \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", \
         \"requests.memory\""
        )],
    );
    tell(
        "a bad divisor",
        resource(json!({ "resource": "limits.cpu", "divisor": "1Ki" })),
        &[format!(
            "{e}.valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 are \
         supported with the cpu resource"
        )],
    );
    tell(
        "a bad divisor of bytes",
        resource(json!({ "resource": "limits.memory", "divisor": "1m" })),
        &[format!(
            "{e}.valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.memory\": only divisor's values 1, 1k, 1M, 1G, \
         1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource"
        )],
    );
    let nothing = container(json!({ "envFrom": [{}] }));
    check(
        "from nothing",
        nothing,
        &["spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"],
    );
    let nameless = container(json!({ "envFrom": [{ "secretRef": {} }] }));
    check("from no name", nameless, &["spec.containers[0].envFrom[0].secretRef.name: Required value"]);
}

#[test]
fn environment_files() {
    // TestValidateFileKeySelector..., TestValidateFileKeyRefVolumes
    let spec = |file: Json, source: Json| {
        let mut spec = container(json!({ "env": [{ "name": "A", "valueFrom": { "fileKeyRef": file } }] }));
        spec["volumes"] = volume(source)["volumes"].clone();
        spec
    };
    let right = json!({ "volumeName": "v", "path": "a/b", "key": "K" });
    check("right", spec(right.clone(), json!({ "emptyDir": {} })), &[]);
    check(
        "of a Secret",
        spec(right, json!({ "secret": { "secretName": "s" } })),
        &[
            "spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: \"v\": referenced volume must be of \
         type emptyDir",
        ],
    );
    check(
        "nothing",
        spec(json!({}), json!({ "emptyDir": {} })),
        &[
            "spec.containers[0].env[0].valueFrom.fileKeyRef.key: Required value",
            "spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Required value",
            "spec.containers[0].env[0].valueFrom.fileKeyRef.path: Required value",
            "spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Not found: \"\"",
        ],
    );
}

#[test]
fn volumes() {
    // TestValidateVolumes
    let check = |name: &str, source: Json, wanted: &[&str]| check(name, volume(source), wanted);
    let right = [
        json!({ "hostPath": { "path": "/a", "type": "Socket" } }),
        json!({ "downwardAPI": { "items": [{ "path": "l", "fieldRef": { "fieldPath": "metadata.labels" } }] } }),
        json!({ "downwardAPI": { "items": [{ "path": "l", "resourceFieldRef": { "containerName": "c", "resource": "limits.cpu" } }] } }),
        json!({ "nfs": { "server": "a", "path": "/b" } }),
        json!({ "iscsi": { "targetPortal": "a", "iqn": "iqn.2015-02.example.com:test", "lun": 1 } }),
        json!({ "csi": { "driver": "a.b" } }),
        json!({ "image": { "reference": "a:1" } }),
        json!({ "fc": { "targetWWNs": ["a"], "lun": 1 } }),
        json!({ "persistentVolumeClaim": { "claimName": "a" } }),
        json!({ "ephemeral": { "volumeClaimTemplate": { "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } } } }),
    ];
    for source in right {
        check(&source.to_string(), source, &[]);
    }
    check(
        "two",
        json!({ "emptyDir": {}, "hostPath": { "path": "/a" } }),
        &["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
    );
    check(
        "negative size",
        json!({ "emptyDir": { "sizeLimit": "-1" } }),
        &["spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"],
    );
    check(
        "a way out",
        json!({ "hostPath": { "path": "/a/../b" } }),
        &["spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"],
    );
    check(
        "an unknown type",
        json!({ "hostPath": { "path": "/a", "type": "x" } }),
        &["spec.volumes[0].hostPath.type: Unsupported value: \"x\": supported values: \"\", \"BlockDevice\", \
         \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\""],
    );
    check("of no name", json!({ "configMap": {} }), &["spec.volumes[0].configMap.name: Required value"]);
    check(
        "a file of nothing",
        json!({ "downwardAPI": { "items": [{ "path": "l" }] } }),
        &["spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"],
    );
    check(
        "no such field",
        json!({ "downwardAPI": { "items": [{ "path": "l", "fieldRef": { "fieldPath": "spec.nodeName" } }] } }),
        &["spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: \"spec.nodeName\": supported values: \
         \"metadata.annotations\", \"metadata.labels\", \"metadata.name\", \"metadata.namespace\", \"metadata.uid\""],
    );
    check(
        "no container",
        json!({ "downwardAPI": { "items": [{ "path": "l", "resourceFieldRef": { "resource": "limits.cpu" } }] } }),
        &["spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value"],
    );
    check(
        "no claim",
        json!({ "persistentVolumeClaim": {} }),
        &["spec.volumes[0].persistentVolumeClaim.claimName: Required value"],
    );
    check(
        "no template",
        json!({ "ephemeral": {} }),
        &["spec.volumes[0].ephemeral.volumeClaimTemplate: Required value"],
    );
    check(
        "not from the root",
        json!({ "nfs": { "server": "a", "path": "b" } }),
        &["spec.volumes[0].nfs.path: Invalid value: \"b\": must be an absolute path"],
    );
    check(
        "not iSCSI",
        json!({ "iscsi": { "targetPortal": "a", "iqn": "iqn.x", "lun": 256 } }),
        &[
            "spec.volumes[0].iscsi.iqn: Invalid value: \"iqn.x\": must be valid format",
            "spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
        ],
    );
    check(
        "reserved",
        json!({ "flexVolume": { "driver": "a", "options": { "x.K8s.io/y": "" } } }),
        &["spec.volumes[0].flexVolume.options[x.K8s.io/y]: Invalid value: \"x.K8s.io/y\": kubernetes.io and k8s.io \
         namespaces are reserved"],
    );
}

#[test]
fn claims_of_ephemeral_volumes() {
    let template = json!({ "volumeClaimTemplate": { "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } } });
    let spec = json!({ "volumes": [
        { "name": "v", "ephemeral": template },
        { "name": "w", "persistentVolumeClaim": { "claimName": "p-v" } },
    ] });
    check(
        "made by the pod",
        spec,
        &[
            "spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: \"p-v\": must not reference a PVC that gets \
         created for an ephemeral volume",
        ],
    );
}

#[test]
fn projected_sources() {
    // TestValidateProjectedVolumeSource..., TestProjectedVolumeWithoutServiceAccount...
    let check = |name: &str, source: Json, wanted: &[&str]| {
        check(name, volume(json!({ "projected": { "sources": source } })), wanted);
    };
    let key = |path: &str| json!([{ "key": "k", "path": path }]);
    check(
        "two in one",
        json!([{ "secret": { "name": "a" }, "configMap": { "name": "b" } }]),
        &["spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source"],
    );
    let twice =
        json!([{ "secret": { "name": "a", "items": key("x") } }, { "configMap": { "name": "b", "items": key("x") } }]);
    check("one path twice", twice, &["spec.volumes[0].projected: Invalid value: \"b\": conflicting duplicate paths"]);
    check(
        "too long",
        json!([{ "serviceAccountToken": { "path": "t", "expirationSeconds": 4_294_967_297_i64 } }]),
        &[
            "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 4294967297: may not \
         specify a duration larger than 2^32 seconds",
        ],
    );
    check(
        "no names",
        json!([{ "secret": {} }, { "configMap": {} }]),
        &[
            "spec.volumes[0].projected.sources[0].secret.name: Required value",
            "spec.volumes[0].projected.sources[1].configMap.name: Required value",
        ],
    );
}

#[test]
fn mounts() {
    // TestValidateVolumeMounts, TestValidateSubpathMutuallyExclusive, TestValidateMountRecursiveReadOnly,
    // TestAlphaValidateVolumeDevices
    let with = |name: &str, fields: Json, wanted: &[&str]| {
        let mut spec = container(fields);
        spec["volumes"] = json!([
            { "name": "v", "emptyDir": {} }, { "name": "b", "persistentVolumeClaim": { "claimName": "c" } },
        ]);
        check(name, spec, wanted);
    };
    let mount = |fields: Json| {
        let mut one = json!({ "name": "v", "mountPath": "/v" });
        one.as_object_mut().expect("a mount").extend(fields.as_object().cloned().expect("fields"));
        json!({ "volumeMounts": [one] })
    };
    let m = "spec.containers[0].volumeMounts";
    let privileged = json!({
        "securityContext": { "privileged": true },
        "volumeMounts": [{ "name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional" }],
    });
    with("both ways, privileged", privileged, &[]);
    with(
        "both ways",
        mount(json!({ "mountPropagation": "Bidirectional" })),
        &[&format!(
            "{m}.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"
        )],
    );
    with(
        "a way out",
        mount(json!({ "subPath": "../a" })),
        &[&format!("{m}.subPath: Invalid value: \"../a\": must not contain '..'")],
    );
    with(
        "absolute",
        mount(json!({ "subPathExpr": "/$(A)" })),
        &[&format!("{m}.subPathExpr: Invalid value: \"/$(A)\": must be a relative path")],
    );
    with("read only below", mount(json!({ "readOnly": true, "recursiveReadOnly": "Enabled" })), &[]);
    with(
        "writable",
        mount(json!({ "recursiveReadOnly": "IfPossible", "mountPropagation": "HostToContainer" })),
        &[
            &format!("{m}.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"),
            &format!(
                "{m}.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified"
            ),
        ],
    );
    with(
        "unknown",
        mount(json!({ "recursiveReadOnly": "x" })),
        &[&format!(
            "{m}.recursiveReadOnly: Unsupported value: \"x\": supported values: \"Disabled\", \"Enabled\", \"IfPossible\""
        )],
    );
    with("a device", json!({ "volumeDevices": [{ "name": "b", "devicePath": "/dev/x" }] }), &[]);
    let d = "spec.containers[0].volumeDevices[0]";
    with(
        "no block",
        json!({ "volumeDevices": [{ "name": "v", "devicePath": "/dev/../x" }] }),
        &[
            &format!(
                "{d}.name: Invalid value: \"v\": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            ),
            &format!("{d}.devicePath: Invalid value: \"/dev/../x\": can not contain backsteps ('..')"),
        ],
    );
    let both = json!({
        "volumeMounts": [{ "name": "b", "mountPath": "/a" }], "volumeDevices": [{ "name": "b", "devicePath": "/a" }],
    });
    with(
        "mount and device",
        both,
        &[
            &format!("{m}[0].name: Invalid value: \"b\": must not already exist in volumeDevices"),
            &format!("{m}[0].mountPath: Invalid value: \"/a\": must not already exist as a path in volumeDevices"),
            &format!("{d}.name: Invalid value: \"b\": must not already exist in volumeMounts"),
            &format!("{d}.devicePath: Invalid value: \"/a\": must not already exist as a path in volumeMounts"),
        ],
    );
}

#[test]
fn ports() {
    // TestValidatePorts, TestValidateHostPorts...
    let p = "spec.containers[0].ports";
    let with = |name: &str, ports: Json, wanted: &[&str]| check(name, container(json!({ "ports": ports })), wanted);
    with(
        "bad name",
        json!([{ "name": "A_b", "containerPort": 1 }]),
        &[&format!(
            "{p}[0].name: Invalid value: \"A_b\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        )],
    );
    with(
        "one name twice",
        json!([{ "name": "a", "containerPort": 1 }, { "name": "a", "containerPort": 2 }]),
        &[&format!("{p}[1].name: Duplicate value: \"a\"")],
    );
    with("none", json!([{ "protocol": "TCP" }]), &[&format!("{p}[0].containerPort: Required value")]);
    with(
        "too large",
        json!([{ "containerPort": 65536, "hostPort": 65537 }]),
        &[
            &format!("{p}[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive"),
            &format!("{p}[0].hostPort: Invalid value: 65537: must be between 1 and 65535, inclusive"),
        ],
    );
    with(
        "no protocol",
        json!([{ "containerPort": 1, "protocol": "ICMP" }]),
        &[&format!("{p}[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\"")],
    );
    let twice = json!([{ "containerPort": 1, "hostPort": 9 }, { "containerPort": 2, "hostPort": 9 }]);
    with("one of the host twice", twice, &[&format!("{p}[1].hostPort: Duplicate value: \"TCP//9\"")]);
    let mut shared = container(json!({ "ports": [{ "containerPort": 1, "hostPort": 2 }] }));
    shared["hostNetwork"] = true.into();
    check(
        "not that of the host",
        shared,
        &[&format!("{p}[0].hostPort: Invalid value: 2: must match `containerPort` when `hostNetwork` is true")],
    );
}

#[test]
fn probes_and_hooks() {
    // TestValidateProbe, TestValidateHandler, Test_validateSleepAction..., TestValidateStopSignal
    let c = "spec.containers[0]";
    check(
        "nothing to do",
        container(json!({ "livenessProbe": {} })),
        &[&format!("{c}.livenessProbe: Required value: must specify a handler type")],
    );
    let two = json!({ "readinessProbe": { "exec": { "command": ["a"] }, "tcpSocket": { "port": 1 } } });
    check(
        "two things to do",
        container(two),
        &[&format!("{c}.readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type")],
    );
    let often =
        json!({ "livenessProbe": { "exec": { "command": ["a"] }, "successThreshold": 2, "periodSeconds": -1 } });
    check(
        "wrong counts",
        container(often),
        &[
            &format!("{c}.livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"),
            &format!("{c}.livenessProbe.successThreshold: Invalid value: 2: must be 1"),
        ],
    );
    let http = json!({ "startupProbe": { "httpGet": {
        "port": "a_b", "scheme": "FTP", "httpHeaders": [{ "name": "X Y", "value": "" }] } } });
    check(
        "http",
        container(http),
        &[
            &format!(
                "{c}.startupProbe.httpGet.port: Invalid value: \"a_b\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
            ),
            &format!(
                "{c}.startupProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\""
            ),
            &format!(
                "{c}.startupProbe.httpGet.httpHeaders: Invalid value: \"X Y\": a valid HTTP header must consist of..."
            ),
        ],
    );
    check(
        "no command",
        container(json!({ "lifecycle": { "preStop": { "exec": {} } } })),
        &[&format!("{c}.lifecycle.preStop.exec.command: Required value")],
    );
    check(
        "no port",
        container(json!({ "lifecycle": { "preStop": { "tcpSocket": { "port": 0 } } } })),
        &[&format!("{c}.lifecycle.preStop.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive")],
    );
    check(
        "too long a sleep",
        container(json!({ "lifecycle": { "preStop": { "sleep": { "seconds": 31 } } } })),
        &[&format!(
            "{c}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than \
         terminationGracePeriodSeconds (30)"
        )],
    );
    check(
        "a signal",
        container(json!({ "lifecycle": { "stopSignal": "SIGTERM" } })),
        &[&format!("{c}.lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`")],
    );
    let mut linux = container(json!({ "lifecycle": { "stopSignal": "SIGRTMIN+3" } }));
    linux["os"] = json!({ "name": "linux" });
    check("a signal of Linux", linux, &[]);
    let readiness = json!({ "readinessProbe": { "tcpSocket": { "port": 1 }, "terminationGracePeriodSeconds": 5 } });
    check(
        "grace of readiness",
        container(readiness),
        &[&format!(
            "{c}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"
        )],
    );
}

#[test]
fn init_containers() {
    // TestValidateInitContainers
    let with = |name: &str, fields: Json, wanted: &[&str]| {
        let mut one = json!({ "name": "n", "image": "i" });
        one.as_object_mut().expect("a container").extend(fields.as_object().cloned().expect("fields"));
        check(name, json!({ "initContainers": [one] }), wanted);
    };
    let i = "spec.initContainers[0]";
    let probe = json!({ "exec": { "command": ["a"] } });
    with(
        "a sidecar",
        json!({ "restartPolicy": "Always", "livenessProbe": probe, "lifecycle": { "preStop": probe } }),
        &[],
    );
    with(
        "a probe",
        json!({ "readinessProbe": probe }),
        &[&format!("{i}.readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always")],
    );
    with(
        "unknown policy",
        json!({ "restartPolicy": "Sometimes" }),
        &[&format!(
            "{i}.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\", \"OnFailure\""
        )],
    );
    with(
        "restart on resize",
        json!({ "resizePolicy": [{ "resourceName": "cpu", "restartPolicy": "RestartContainer" }] }),
        &[&format!(
            "{i}.resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must not be set to 'RestartContainer' for non-sidecar initContainers"
        )],
    );
}

#[test]
fn restart_rules() {
    // TestValidateContainerRestartPolicy
    let rule = |action: &str, operator: &str| json!({ "action": action, "exitCodes": { "operator": operator, "values": [1] } });
    let c = "spec.containers[0]";
    let right = json!({ "restartPolicy": "Never", "restartPolicyRules": [rule("Restart", "In"), rule("RestartAllContainers", "NotIn")] });
    check("right", container(right), &[]);
    check(
        "no policy",
        container(json!({ "restartPolicyRules": [rule("Restart", "In")] })),
        &[&format!("{c}.restartPolicy: Required value: must specify restartPolicy when restart rules are used")],
    );
    let wrong =
        json!({ "restartPolicy": "Never", "restartPolicyRules": [rule("Stop", "Is"), { "action": "Restart" }] });
    check(
        "wrong",
        container(wrong),
        &[
            &format!(
                "{c}.restartPolicyRules[0].action: Unsupported value: \"Stop\": supported values: \"Restart\", \"RestartAllContainers\""
            ),
            &format!(
                "{c}.restartPolicyRules[0].exitCodes.operator: Unsupported value: \"Is\": supported values: \"In\", \"NotIn\""
            ),
            &format!("{c}.restartPolicyRules[1].exitCodes: Required value: must be specified"),
        ],
    );
    let many: Vec<Json> = (0..21).map(|_| rule("Restart", "In")).collect();
    check(
        "too many",
        container(json!({ "restartPolicy": "Never", "restartPolicyRules": many })),
        &[&format!("{c}.restartPolicyRules: Too many: 21: must have at most 20 items")],
    );
}

#[test]
fn security_contexts() {
    // TestValidateSecurityContext, TestValidateSeccompProfileField..., TestValidateAppArmorProfileField,
    // TestValidateSysctls, TestValidateProcMount...
    let s = "spec.containers[0].securityContext";
    let own = |context: Json| container(json!({ "securityContext": context }));
    let of_pod = |context: Json| json!({ "securityContext": context });
    check(
        "both",
        own(json!({ "allowPrivilegeEscalation": false, "privileged": true })),
        &[&format!(
            "{s}: Invalid value: {{\"allowPrivilegeEscalation\":false,\"privileged\":true}}: cannot set \
         `allowPrivilegeEscalation` to false and `privileged` to true"
        )],
    );
    check(
        "unmasked",
        own(json!({ "procMount": "Unmasked" })),
        &[&format!("{s}.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`")],
    );
    check(
        "no profile",
        own(json!({ "seccompProfile": { "type": "Localhost" } })),
        &[&format!("{s}.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost")],
    );
    check(
        "unknown profile",
        own(json!({ "appArmorProfile": { "type": "Mine" } })),
        &[&format!(
            "{s}.appArmorProfile.type: Unsupported value: \"Mine\": supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\""
        )],
    );
    check(
        "a profile too many",
        own(json!({ "appArmorProfile": { "type": "Unconfined", "localhostProfile": "a" } })),
        &[&format!(
            "{s}.appArmorProfile.localhostProfile: Invalid value: \"a\": can only be set when AppArmor type is Localhost"
        )],
    );
    check(
        "groups",
        of_pod(json!({ "fsGroup": -1, "supplementalGroups": [1, -2] })),
        &[
            "spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive",
            "spec.securityContext.supplementalGroups[1]: Invalid value: -2: must be between 0 and 2147483647, inclusive",
        ],
    );
    check(
        "policies",
        of_pod(json!({ "fsGroupChangePolicy": "x", "supplementalGroupsPolicy": "y" })),
        &[
            "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"x\": supported values: \"Always\", \"OnRootMismatch\"",
            "spec.securityContext.supplementalGroupsPolicy: Unsupported value: \"y\": supported values: \"Merge\", \"Strict\"",
        ],
    );
    let sysctls =
        json!([{ "name": "net.a", "value": "1" }, { "name": "net.a", "value": "2" }, { "name": "A", "value": "" }]);
    check(
        "sysctls",
        of_pod(json!({ "sysctls": sysctls })),
        &[
            "spec.securityContext.sysctls[1].name: Duplicate value: \"net.a\"",
            "spec.securityContext.sysctls[2].name: Invalid value: \"A\": must have at most 253 characters and match regex \
         ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
        ],
    );
    let mut shared = of_pod(json!({ "sysctls": [{ "name": "net/a", "value": "1" }] }));
    shared["hostNetwork"] = true.into();
    check(
        "of the host",
        shared,
        &[
            "spec.securityContext.sysctls[0].name: Invalid value: \"net/a\": may not be specified when 'hostNetwork' is true",
        ],
    );
    check(
        "users",
        json!({ "hostUsers": false, "hostPID": true }),
        &["spec.HostPID: Forbidden: when `hostUsers` is false"],
    );
}

#[test]
fn operating_systems() {
    // TestValidateOSFields, TestValidateWindowsSecurityContextOptions, TestValidateWindowsHostProcessPod
    check("none", json!({ "os": {} }), &["spec.os.name: Required value: cannot be empty"]);
    check(
        "unknown",
        json!({ "os": { "name": "beos" } }),
        &["spec.os: Unsupported value: \"beos\": supported values: \"linux\", \"windows\""],
    );
    let windows = json!({
        "os": { "name": "windows" }, "hostPID": true, "shareProcessNamespace": false,
        "securityContext": { "fsGroup": 1, "runAsUser": 2 },
    });
    check(
        "Windows",
        windows,
        &[
            "spec.hostPID: Forbidden: cannot be set for a windows pod",
            "spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod",
            "spec.shareProcessNamespace: Forbidden: cannot be set for a windows pod",
            "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
        ],
    );
    let linux = json!({ "os": { "name": "linux" }, "securityContext": { "windowsOptions": {} } });
    check(
        "Linux",
        linux,
        &["spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"],
    );
    let user = |name: &str| json!({ "securityContext": { "windowsOptions": { "runAsUserName": name } } });
    for right in ["user", r"dom\user", r"a.b\user"] {
        check(right, user(right), &[]);
    }
    let u = "spec.securityContext.windowsOptions.runAsUserName";
    check("empty", user(""), &[&format!("{u}: Invalid value: \"\": runAsUserName cannot be an empty string")]);
    check(
        "two",
        user(r"a\b\c"),
        &[&format!("{u}: Invalid value: \"a\\\\b\\\\c\": runAsUserName cannot contain more than one backslash")],
    );
    check(
        "dots",
        user(".. "),
        &[&format!("{u}: Invalid value: \".. \": runAsUserName's User cannot contain only periods or spaces")],
    );
    check(
        "the host's process",
        json!({ "securityContext": { "windowsOptions": { "hostProcess": true } } }),
        &[
            "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers",
        ],
    );
}

#[test]
fn names_and_numbers() {
    // TestValidatePodSpec
    let names = json!({ "hostname": "a.b", "subdomain": "A", "nodeName": "N_", "priorityClassName": "P_", "runtimeClassName": "r/" });
    check(
        "names",
        names,
        &[
            "spec.nodeName: Invalid value: \"N_\": a lowercase RFC 1123 subdomain...",
            "spec.hostname: Invalid value: \"a.b\": must not contain dots",
            "spec.subdomain: Invalid value: \"A\": a lowercase RFC 1123 label...",
            "spec.priorityClassName: Invalid value: \"P_\": a lowercase RFC 1123 subdomain...",
            "spec.runtimeClassName: Invalid value: \"r/\": a lowercase RFC 1123 subdomain...",
        ],
    );
    check(
        "a deadline",
        json!({ "activeDeadlineSeconds": 0 }),
        &["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    );
    check(
        "policies",
        json!({ "dnsPolicy": "x", "preemptionPolicy": "y" }),
        &[
            "spec.dnsPolicy: Unsupported value: \"x\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\"",
            "spec.preemptionPolicy: Unsupported value: \"y\": supported values: \"PreemptLowerPriority\", \"Never\"",
        ],
    );
    check(
        "aliases",
        json!({ "hostAliases": [{ "ip": "x", "hostnames": ["a_b"] }] }),
        &[
            "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            "spec.hostAliases[0].hostnames[0]: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain...",
        ],
    );
    check(
        "a padded image",
        container(json!({ "image": " i" })),
        &["spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing whitespace"],
    );
    check(
        "a name for the host",
        json!({ "hostnameOverride": "a", "hostNetwork": true }),
        &["spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true"],
    );
    check(
        "ephemeral",
        json!({ "ephemeralContainers": [{ "name": "e", "image": "i", "ports": [{ "containerPort": 1 }] }] }),
        &[
            "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
            "spec.ephemeralContainers: Forbidden: cannot be set on create",
        ],
    );
    check(
        "a node while held back",
        json!({ "nodeName": "n", "schedulingGates": [{ "name": "a" }] }),
        &["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
    );
}

#[test]
fn name_servers() {
    // TestValidatePodDNSConfig
    let config = |config: Json| json!({ "dnsConfig": config });
    check(
        "right",
        config(json!({ "nameservers": ["1.1.1.1"], "searches": ["a_b.c", "."], "options": [{ "name": "n" }] })),
        &[],
    );
    check(
        "none",
        json!({ "dnsPolicy": "None" }),
        &["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    );
    check(
        "none of them",
        json!({ "dnsPolicy": "None", "dnsConfig": {} }),
        &[
            "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None",
        ],
    );
    check(
        "four",
        config(json!({ "nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"] })),
        &[
            "spec.dnsConfig.nameservers: Invalid value: [\"1.1.1.1\",\"2.2.2.2\",\"3.3.3.3\",\"4.4.4.4\"]: must not have more than 3 nameservers",
        ],
    );
    check(
        "an option",
        config(json!({ "options": [{ "value": "n" }] })),
        &["spec.dnsConfig.options[0]: Required value: must not be empty"],
    );
}

#[test]
fn where_pods_run() {
    // TestValidateTolerations, TestValidateTopologySpreadConstraints, TestValidateSchedulingGates, TestValidatePodAffinity...
    let toleration = |fields: Json| json!({ "tolerations": [fields] });
    let t = "spec.tolerations[0]";
    check("numbers", toleration(json!({ "key": "a", "operator": "Gt", "value": "-5" })), &[]);
    check(
        "no key",
        toleration(json!({ "value": "a" })),
        &[&format!(
            "{t}.operator: Invalid value: \"\": operator must be Exists when `key` is empty, which means \"match all values and all keys\""
        )],
    );
    check(
        "seconds",
        toleration(json!({ "key": "a", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 1 })),
        &[&format!(
            "{t}.effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set"
        )],
    );
    check(
        "a value",
        toleration(json!({ "key": "a", "operator": "Exists", "value": "b" })),
        &[&format!("{t}.operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'")],
    );
    check(
        "unknown",
        toleration(json!({ "key": "a", "operator": "In", "effect": "No" })),
        &[
            &format!("{t}.operator: Unsupported value: \"In\": supported values: \"Equal\", \"Exists\""),
            &format!(
                "{t}.effect: Unsupported value: \"No\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\""
            ),
        ],
    );
    let spread = json!({ "topologySpreadConstraints": [
        { "maxSkew": 0, "topologyKey": "k", "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 0, "matchLabelKeys": ["a"] },
        { "maxSkew": 1, "topologyKey": "k", "whenUnsatisfiable": "ScheduleAnyway", "nodeTaintsPolicy": "x" },
    ] });
    let c = "spec.topologySpreadConstraints";
    check(
        "spread",
        spread,
        &[
            &format!("{c}[0].maxSkew: Invalid value: 0: must be greater than zero"),
            &format!("{c}[0].{{topologyKey, whenUnsatisfiable}}: Duplicate value: \"{{k, ScheduleAnyway}}\""),
            &format!("{c}[0].minDomains: Invalid value: 0: must be greater than zero"),
            &format!(
                "{c}[0].minDomains: Invalid value: 0: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"
            ),
            &format!("{c}[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"),
            &format!("{c}[1].nodeTaintsPolicy: Unsupported value: \"x\": supported values: \"Honor\", \"Ignore\""),
        ],
    );
    check(
        "gates",
        json!({ "schedulingGates": [{ "name": "a" }, { "name": "a" }], "readinessGates": [{ "conditionType": "a b" }] }),
        &[
            "spec.readinessGates[0].conditionType: Invalid value: \"a b\": name part must consist of...",
            "spec.schedulingGates[1]: Duplicate value: \"a\"",
        ],
    );
}

#[test]
fn affinities() {
    // TestValidateAffinity..., TestValidateNodeSelectorRequirement
    let nodes = |terms: Json| {
        json!({ "affinity": { "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms } } } })
    };
    let n = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    check("no terms", nodes(json!([])), &[&format!("{n}: Required value: must have at least one node selector term")]);
    let terms = json!([{
        "matchExpressions": [
            { "key": "a", "operator": "In" }, { "key": "a", "operator": "Exists", "values": ["b"] },
            { "key": "a", "operator": "Is" }, { "key": "a", "operator": "Gt", "values": ["1", "2"] },
        ],
        "matchFields": [{ "key": "metadata.uid", "operator": "In", "values": ["n"] }],
    }]);
    check(
        "terms",
        nodes(terms),
        &[
            &format!(
                "{n}[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
            ),
            &format!(
                "{n}[0].matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            ),
            &format!("{n}[0].matchExpressions[2].operator: Invalid value: \"Is\": not a valid selector operator"),
            &format!(
                "{n}[0].matchExpressions[3].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"
            ),
            &format!("{n}[0].matchFields[0].key: Invalid value: \"metadata.uid\": not a valid field selector key"),
        ],
    );
    let pods = json!({ "affinity": { "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
        { "weight": 101, "podAffinityTerm": { "topologyKey": "a", "namespaces": ["N"], "labelSelector": {
            "matchExpressions": [{ "key": "a", "operator": "In" }] } } },
    ] } } });
    let p = "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]";
    check(
        "pods",
        pods,
        &[
            &format!("{p}.weight: Invalid value: 101: must be in the range 1-100"),
            &format!(
                "{p}.podAffinityTerm.labelSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
            ),
            &format!("{p}.podAffinityTerm.namespace: Invalid value: \"N\": a lowercase RFC 1123 label..."),
        ],
    );
}

#[test]
fn resize_policies() {
    // TestValidateResizePolicy
    let policy = |resource: &str, restart: &str| json!({ "resourceName": resource, "restartPolicy": restart });
    let r = "spec.containers[0].resizePolicy";
    let with = |policies: Json| container(json!({ "resizePolicy": policies }));
    check("right", with(json!([policy("cpu", "NotRequired"), policy("memory", "RestartContainer")])), &[]);
    check(
        "twice",
        with(json!([policy("cpu", "NotRequired"), policy("cpu", "NotRequired")])),
        &[&format!("{r}[1]: Duplicate value: \"cpu\"")],
    );
    check(
        "unknown",
        with(json!([policy("disk", "Never")])),
        &[
            &format!("{r}: Unsupported value: \"disk\": supported values: \"cpu\", \"memory\""),
            &format!("{r}: Unsupported value: \"Never\": supported values: \"NotRequired\", \"RestartContainer\""),
        ],
    );
    let mut never = with(json!([policy("cpu", "RestartContainer")]));
    never["restartPolicy"] = "Never".into();
    check(
        "never restarted",
        never,
        &[&format!(
            "{r}: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'"
        )],
    );
}
