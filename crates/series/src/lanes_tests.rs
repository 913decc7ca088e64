use super::*;
use crate::rng::{inverse_normal, normal_cdf};

#[test]
fn follows_the_exact_quantile_into_the_tail() {
    // Every scale of k, densely at both ends.
    let sizes = (0..5_000)
        .chain((0..31).flat_map(|e| (0..4_000_u32).map(move |i| (1 << e) + (i << e) / 4_000)))
        .chain((0..5_000).map(|i| 0x7fff_ffff - i));
    for k in sizes {
        let exact = -inverse_normal((f64::from(k) + 0.5) / 4_294_967_296.0);
        let got = f64::from(normal_from_bits(k));
        assert!(
            (got - exact).abs() < 4e-6 * exact + 1e-7,
            "{k}: {got}, exactly {exact}"
        );
        assert_eq!(normal_from_bits(k | 0x8000_0000), -normal_from_bits(k));
    }
    assert!((normal_from_bits(0) - 6.338).abs() < 1e-3);
}

/// 3.2·10⁷ numbers: moments and the frequency of rare ones within 4.5 standard errors of the exact ones.
#[test]
fn gaussian_in_the_tail() {
    const STEPS: u32 = 2_000_000;
    const LIMITS: [f32; 4] = [1.0, 2.0, 3.0, 4.0];
    let mut lanes = NormalLanes::new(&mut Stream::new(11, "lanes", 0, 0));
    let mut beyond = [[0_u64; 2]; 4];
    let mut sums = [0.0_f64; 4];
    for _ in 0..STEPS {
        let mut part = [0.0_f64; 4];
        for z in lanes.draw() {
            let (z, square) = (f64::from(z), f64::from(z) * f64::from(z));
            part[0] += z;
            part[1] += square;
            part[2] += square * z;
            part[3] += square * square;
        }
        sums.iter_mut().zip(part).for_each(|(s, p)| *s += p);
    }
    let mut lanes = NormalLanes::new(&mut Stream::new(11, "lanes", 0, 0));
    for _ in 0..STEPS {
        for z in lanes.draw() {
            for (count, limit) in beyond.iter_mut().zip(LIMITS) {
                count[0] += u64::from(z > limit);
                count[1] += u64::from(z < -limit);
            }
        }
    }
    let n = f64::from(STEPS) * LANES as f64;
    let [mean, square, cube, fourth] = sums.map(|s| s / n);
    // Variances of z, z², z³, z⁴: 1, 2, 15, 96.
    for (name, got, exact, variance) in [
        ("mean", mean, 0.0, 1.0_f64),
        ("variance", square, 1.0, 2.0),
        ("skewness", cube, 0.0, 15.0),
        ("kurtosis", fourth, 3.0, 96.0),
    ] {
        println!("{name}: {got:.6}");
        assert!(
            (got - exact).abs() < 4.5 * (variance / n).sqrt(),
            "{name}: {got}"
        );
    }
    for (count, limit) in beyond.into_iter().zip(LIMITS) {
        let p = normal_cdf(-f64::from(limit));
        for c in count {
            let off = (c as f64 - n * p) / (n * p * (1.0 - p)).sqrt();
            println!(
                "beyond {limit}: {c} of {:.0} expected, {off:+.2} standard errors",
                n * p
            );
            assert!(off.abs() < 4.5, "{limit}: {c}");
        }
    }
}

#[test]
fn lanes_and_steps_are_unrelated() {
    let mut lanes = NormalLanes::new(&mut Stream::new(5, "lanes", 3, 0));
    let n = 200_000;
    let (mut before, mut neighbour, mut next) = ([0.0_f32; LANES], 0.0, 0.0);
    for _ in 0..n {
        let now = lanes.draw();
        for i in 0..LANES {
            neighbour += f64::from(now[i] * now[(i + 1) % LANES]);
            next += f64::from(now[i] * before[i]);
        }
        before = now;
    }
    let unit = (f64::from(n) * LANES as f64).sqrt();
    assert!((neighbour / unit).abs() < 4.5 && (next / unit).abs() < 4.5);
}

#[test]
fn the_same_numbers_for_good() {
    let mut lanes = NormalLanes::new(&mut Stream::new(1, "lanes", 2, 3));
    let mut hash = 0_u64;
    for _ in 0..1000 {
        for z in lanes.draw() {
            hash = hash.rotate_left(5) ^ u64::from(z.to_bits()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }
    assert_eq!(hash, 0x97ad_ad6f_4b3c_d965, "{hash:#x}");
}
