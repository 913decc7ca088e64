//! Stable numbers for names, so that a random stream belongs to an element and not to its place in a list.

/// FNV-1a over the parts, separated, then the number. Adding an element never changes another's key.
pub(crate) fn entity(parts: &[&str], number: u64) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = OFFSET;
    let mut eat = |byte: u8| {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(PRIME);
    };
    for part in parts {
        part.bytes().for_each(&mut eat);
        eat(0xff); // no UTF-8 text holds this byte, so ("ab", "c") and ("a", "bc") differ
    }
    number.to_le_bytes().into_iter().for_each(&mut eat);
    hash
}

#[cfg(test)]
mod tests {
    use super::entity;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(entity(&["ab", "c"], 0), entity(&["a", "bc"], 0));
        assert_ne!(entity(&["a"], 0), entity(&["a"], 1));
        assert_eq!(entity(&["rack", "job"], 7), entity(&["rack", "job"], 7));
    }
}
