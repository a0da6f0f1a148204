;; A module written by hand, for what no compiler of guests would do. What its step does is chosen by the first letter of
;; the name it is called by.
(component
  (type $types-type (instance
    (type $record (record
      (field "kind" string) (field "message" string) (field "details" (option string))))
    (export "failure" (type (eq $record)))))
  (import "stepwell:workflow/types@0.1.0" (instance $types (type $types-type)))
  (alias export $types "failure" (type $failure))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "now" (func (result u64)))))

  (core module $libc
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local i32)
      (local.set 4 (global.get $top))
      (global.set $top
        (i32.add (global.get $top) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16))))
      (local.get 4)))
  (core instance $libc (instantiate $libc))

  (type $thing (resource (rep i32)))
  (core func $thing-new (canon resource.new $thing))
  (core func $now (canon lower (func $clock "now")))

  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "now" (func $now (result i64)))
    (import "host" "thing-new" (func $thing-new (param i32) (result i32)))
    (table $table 1 funcref)
    (data (i32.const 16) "{\"manifest\":1,\"steps\":[{\"name\":\"x\"}]}")
    (data (i32.const 128) "1")

    ;; An outcome that is a value.
    (func $answer (param $at i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 1024) (i32.const 0))
      (i32.store (i32.const 1028) (local.get $at))
      (i32.store (i32.const 1032) (local.get $length))
      (i32.const 1024))

    (func $grow_tables
      (loop $more
        (br_if $more (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
      unreachable)
    (func $hoard_handles
      (loop $more
        (drop (call $thing-new (i32.const 1)))
        (br $more)))
    (func $watch_the_clock
      (loop $more
        (drop (call $now))
        (br $more)))

    (func (export "describe") (result i32)
      (i32.store (i32.const 1024) (i32.const 16))
      (i32.store (i32.const 1028) (i32.const 37))
      (i32.const 1024))
    (func $run (export "run") (param $name i32) (param $name-length i32) (param i32 i32) (result i32)
      (local $letter i32)
      (local.set $letter (i32.load8_u (local.get $name)))
      (if (i32.eq (local.get $letter) (i32.const 116)) (then (call $grow_tables)))      ;; t
      (if (i32.eq (local.get $letter) (i32.const 104)) (then (call $hoard_handles)))    ;; h
      (if (i32.eq (local.get $letter) (i32.const 99)) (then (call $watch_the_clock)))   ;; c
      (if (i32.eq (local.get $letter) (i32.const 114))                                  ;; r
        (then
          (drop (memory.grow (i32.const 900)))
          (return (call $answer (i32.const 0) (i32.const 57000000)))))
      (if (i32.eq (local.get $letter) (i32.const 111))                                  ;; o
        (then (return (call $answer (i32.const 0) (i32.const 0x7fffffff)))))
      (call $answer (i32.const 128) (i32.const 1)))
  )
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "now" (func $now)) (export "thing-new" (func $thing-new))))))

  (func $describe (result string)
    (canon lift (core func $main "describe") (memory (core memory $libc "memory"))))
  (func $run-workflow (param "workflow" string) (param "input" string)
    (result (result string (error $failure)))
    (canon lift (core func $main "run") (memory (core memory $libc "memory"))
      (realloc (core func $libc "cabi_realloc"))))
  (func $run-step (param "step" string) (param "input" string)
    (result (result string (error $failure)))
    (canon lift (core func $main "run") (memory (core memory $libc "memory"))
      (realloc (core func $libc "cabi_realloc"))))
  (instance $guest
    (export "describe" (func $describe))
    (export "run-workflow" (func $run-workflow))
    (export "run-step" (func $run-step)))
  (export "stepwell:workflow/guest@0.1.0" (instance $guest)))
