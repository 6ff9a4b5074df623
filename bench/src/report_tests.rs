use clap::Parser;

use super::*;

fn sample(round: u32, target: TargetName, cpu_us_per_request: f64, alone_p50_us: f64) -> Sample {
    Sample {
        round,
        scenario: Scenario::Chat,
        target,
        requests_per_second: 1_000.0,
        p50_us: 900.0,
        p99_us: 1_500.0,
        cpu_us_per_request,
        cpu_us_per_chunk: None,
        alone_p50_us,
        alone_p99_us: 2.0 * alone_p50_us,
        alone_first_byte_us: 80.0,
        rss_before_bytes: 8 << 20,
        rss_after_bytes: 9 << 20,
        failures: u64::from(round == 2),
    }
}

#[test]
fn ratios_and_differences_are_taken_inside_a_round() {
    use TargetName::{Direct, Gateway, Nginx};
    // Round 2 is twice as slow for everybody; round 3 is an outlier for the gateway.
    let samples = vec![
        sample(1, Direct, 20.0, 100.0),
        sample(1, Nginx, 30.0, 150.0),
        sample(1, Gateway, 45.0, 170.0),
        sample(2, Direct, 40.0, 200.0),
        sample(2, Nginx, 60.0, 300.0),
        sample(2, Gateway, 90.0, 340.0),
        sample(3, Direct, 20.0, 100.0),
        sample(3, Nginx, 30.0, 150.0),
        sample(3, Gateway, 300.0, 900.0),
    ];
    let arguments = Arguments::parse_from(["tollgate-bench"]);
    let report = Report::new(&arguments, samples, None);
    let row = |target| report.summary.iter().find(|row| row.target == target).unwrap();
    assert_eq!((row(Gateway).cpu_to_nginx, row(Gateway).added_p50_us), (Some(1.5), Some(140.0)));
    assert_eq!((row(Nginx).cpu_to_nginx, row(Nginx).added_p50_us), (None, Some(50.0)));
    assert_eq!((row(Direct).cpu_to_nginx, row(Direct).added_p50_us), (None, None));
    assert_eq!(report.errors(), 3);
    assert!(report.to_string().lines().any(|line| line.contains("gateway") && line.contains("8.0 → 9.0")));
}

#[test]
fn growth_ignores_the_first_tenth() {
    let soak = Soak {
        target: TargetName::Gateway,
        requests: 100,
        rss_bytes: vec![1 << 20, 9 << 20, 10 << 20],
        failures: 0,
    };
    assert_eq!(soak.growth_bytes(), 1 << 20);
    assert!(soak.to_string().ends_with("grown by 1024 KB since the first tenth"));
}
