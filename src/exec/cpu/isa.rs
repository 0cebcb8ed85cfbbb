//! Which vector instructions the machine has, and functions compiled once for each.
#![allow(unsafe_code)]

/// A set of vector instructions. Results do not depend on it: the kernels do the same operations in
/// the same order, only more of them at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isa {
    /// What the target has at least (SSE2, NEON).
    Base,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The widest that this machine has.
    pub fn detect() -> Isa {
        #[cfg(target_arch = "x86_64")]
        {
            let has_512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if has_512 && is_x86_feature_detected!("avx2") {
                return Isa::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Isa::Avx2;
            }
        }
        Isa::Base
    }

    /// Those of this machine, narrowest first.
    #[cfg(test)]
    pub fn all() -> Vec<Isa> {
        let mut all = vec![Isa::Base];
        #[cfg(target_arch = "x86_64")]
        match Isa::detect() {
            Isa::Base => {}
            Isa::Avx2 => all.push(Isa::Avx2),
            Isa::Avx512 => all.extend([Isa::Avx2, Isa::Avx512]),
        }
        all
    }
}

/// `fn name<T: Bound>(isa: Isa, …)` from `body`, an `#[inline(always)]` function of the same
/// arguments, which is compiled once for each set of instructions.
macro_rules! versions {
    ($(#[$meta:meta])* $name:ident<$($t:ident: $bound:ident),*>($($arg:ident: $type:ty),*) $(-> $result:ty)?, $body:ident) => {
        $(#[$meta])*
        #[inline]
        #[allow(unsafe_code)]
        pub(super) fn $name<$($t: $bound),*>(isa: $crate::exec::cpu::isa::Isa, $($arg: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2<$($t: $bound),*>($($arg: $type),*) $(-> $result)? {
                    $body::<$($t),*>($($arg),*)
                }
                #[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512<$($t: $bound),*>($($arg: $type),*) $(-> $result)? {
                    $body::<$($t),*>($($arg),*)
                }
                match isa {
                    // SAFETY: the value comes from `Isa::detect`, which saw these instructions.
                    $crate::exec::cpu::isa::Isa::Avx512 => return unsafe { avx512::<$($t),*>($($arg),*) },
                    // SAFETY: as above.
                    $crate::exec::cpu::isa::Isa::Avx2 => return unsafe { avx2::<$($t),*>($($arg),*) },
                    $crate::exec::cpu::isa::Isa::Base => {}
                }
            }
            let _ = isa;
            $body::<$($t),*>($($arg),*)
        }
    };
}

pub(super) use versions;
