"""Finds how a text in a picture was lettered: font, place, size, slant, turn, perspective, stroke weight, softness.

The old ink is straightened, the old text drawn in each candidate font and registered onto it (enhanced correlation,
Evangelidis and Psarakis, TPAMI 2008, as ``cv2.findTransformECC``). The correlation ranks the fonts, and the transform
that was found puts the new text where the old one stood. About 10 ms a font that is registered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generators._lettering.render import EM_PX, apply, coverage, ink_extent, render
from selector.domain import raise_shortage
from selector.sight.fonts import Font
from selector.sight.text_boxes import Floats

_REGISTERED_FONTS = 14  # the best by a quick look are registered exactly
_LEAST_LIKENESS = 0.4
_WEIGHTS_PX = tuple(EM_PX * share for share in (-0.016, -0.008, 0.0, 0.008, 0.016, 0.026, 0.038))
_BLURS_PX = (0.0, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2)
PLANE_HEIGHT_PX = 56
_MARGIN_PX = 14
_WEIGHT_STEP_PX = 0.008 * EM_PX


@dataclass(frozen=True)
class Lettering:
    """How a text is drawn: ``to_picture`` (3, 3) takes the font's text plane to px.

    ``weight_px`` (text plane) thickens the strokes on each side, ``blur_px`` (picture) is a sigma, ``likeness`` (at
    most 1) tells how well the old text, drawn so, covers its ink.
    """

    font: Font
    to_picture: Floats
    weight_px: float
    blur_px: float
    likeness: float

    def draw(self, text: str, shape: tuple[int, int], move: Floats | None = None, wider_px: float = 0.0) -> Floats:
        """Coverage (H, W) of ``text``; ``move`` (3, 3) is applied first, in the text plane.

        ``wider_px`` (picture) makes strokes thicker on each side, for outlines.
        """
        transform = self.to_picture if move is None else self.to_picture @ move
        return render(self.font, text, transform, shape, self.weight_px + wider_px / self.scale, self.blur_px)

    @property
    def scale(self) -> float:
        """Px of the picture that one unit of the text plane takes, at the plane's origin."""
        origin, along, down = apply(self.to_picture, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
        return max(float(np.sqrt(abs(np.linalg.det(np.stack([along - origin, down - origin]))))), 1e-6)


def rank_fonts(alpha: Floats, box: Floats, text: str, fonts: tuple[Font, ...], exact: bool = True) -> list[Lettering]:
    """Letterings of ``text`` in ``fonts``, the most alike first; weight and blur are not fitted yet.

    ``alpha`` (H, W) is the ink that was found, ``box`` (4, 2) px the text's quad. With ``exact`` False the fonts are
    only put onto the ink's bounding box. Empty when the ink has no extent.
    """
    plane = straighten(alpha, box)
    if plane is None:
        return []
    letterings = _ranked(plane, text, fonts, exact)
    if exact and letterings and letterings[0].likeness < _LEAST_LIKENESS:
        # the ink is not the text's alone (letters that run into their ground): only the reader's box can be trusted
        letterings = _ranked(replace(plane, extent=usual_extent(plane)), text, fonts, False)
    return letterings


def _ranked(plane: Plane, text: str, fonts: tuple[Font, ...], exact: bool) -> list[Lettering]:
    laid = [_on_box(plane, text, font) for font in fonts]
    looks = [(value + _manner(plane, text, font, onto), value, font, onto) for value, font, onto in laid]
    looks.sort(key=lambda look: -look[0])
    if not exact:
        return [Lettering(font, plane.to_picture @ onto, 0.0, 0.6, value) for _, value, font, onto in looks]
    tried = [(_register(plane, text, font, onto, value), value) for _, value, font, onto in looks[:_REGISTERED_FONTS]]
    # registration bends a wrong font towards the ink; how it looked before still tells the fonts apart a little
    tried.sort(key=lambda pair: -(pair[0][0] + 0.2 * pair[1] + 0.5 * _manner(plane, text, *pair[0][1:])))
    return [Lettering(font, plane.to_picture @ onto, 0.0, 0.6, value) for (value, font, onto), _ in tried]


def choose_lettering(ranked: list[Lettering], rank: int, text: str, alpha: Floats) -> Lettering:
    """The lettering of that rank, fitted; past the last one, the last with strokes lighter and bolder in turn."""
    past = max(0, rank - len(ranked) + 1)
    fitted = fit_strokes(ranked[min(rank, len(ranked) - 1)], text, alpha)
    step = _WEIGHT_STEP_PX * ((past + 1) // 2) * (-1 if past % 2 else 1)
    return replace(fitted, weight_px=fitted.weight_px + step)


def fit_strokes(lettering: Lettering, text: str, alpha: Floats) -> Lettering:
    """Stroke weight and blur with which the drawn old text has as much ink and as steep edges as the found one.

    Both compare totals and not pixels: where the font is another one, least squares would blur the difference away.
    """
    shape = (alpha.shape[0], alpha.shape[1])
    for name, values, measure in (
        ("blur_px", _BLURS_PX, _steepness),
        ("weight_px", _WEIGHTS_PX, lambda alpha: float(alpha.sum())),
        ("blur_px", _BLURS_PX, _steepness),
    ):
        tried = [replace(lettering, **{name: value}) for value in values]  # type: ignore[arg-type]
        wanted = measure(alpha)
        lettering = min(tried, key=lambda one: abs(measure(one.draw(text, shape)) - wanted))
    return lettering


def _steepness(alpha: Floats) -> float:
    """Slope of the steeper edges, in coverage a px."""
    slope = np.hypot(*np.gradient(alpha))
    edges = slope[slope > 0.08]
    return float(np.quantile(edges, 0.85)) if edges.size else 0.0


def _on_box(plane: Plane, text: str, font: Font) -> tuple[float, Font, Floats]:
    """(likeness, font, transform from text plane to ink plane) with the letters' box laid onto the ink's box."""
    left, top, right, bottom = ink_extent(font, text)
    x0, y0, x1, y1 = plane.extent
    wide, high = (x1 - x0) / max(right - left, 1.0), (y1 - y0) / max(bottom - top, 1.0)
    onto = np.array([[wide, 0.0, x0 - wide * left], [0.0, high, y0 - high * top], [0.0, 0.0, 1.0]])
    return _likeness(plane, text, font, onto), font, onto


def _likeness(plane: Plane, text: str, font: Font, onto: Floats) -> float:
    """Correlation of drawn and found ink, less a fine for letters that had to be stretched or slanted."""
    shown = _shown(plane, text, font, onto)
    a, b = shown - shown.mean(), plane.ink - plane.ink.mean()
    correlation = float((a * b).sum()) / max(float(np.sqrt((a**2).sum() * (b**2).sum())), 1e-9)
    along, down = onto[:2, 0], onto[:2, 1]
    wide, high = max(float(np.linalg.norm(along)), 1e-6), max(float(np.linalg.norm(down)), 1e-6)
    return correlation - 0.25 * abs(float(np.log(wide / high))) - 0.3 * abs(float(along @ down)) / (wide * high)


def _manner(plane: Plane, text: str, font: Font, onto: Floats) -> float:
    """Likeness in weight and in the share of ink by row, where serifs show; both bear letters that stand elsewhere."""
    shown = _shown(plane, text, font, onto)
    mine, theirs = shown.sum(axis=1), plane.ink.sum(axis=1)
    rows = float(mine @ theirs) / max(float(np.linalg.norm(mine) * np.linalg.norm(theirs)), 1e-9)
    weight = abs(float(np.log(max(mine.sum(), 1e-6) / max(theirs.sum(), 1e-6))))
    return rows - 0.5 * weight


def _shown(plane: Plane, text: str, font: Font, onto: Floats) -> NDArray[np.float32]:
    import cv2

    image, (x, y) = coverage(font, text)
    image = cv2.GaussianBlur(image, (0, 0), plane.softness_px * EM_PX / PLANE_HEIGHT_PX)
    place = np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
    size = (plane.ink.shape[1], plane.ink.shape[0])
    return np.asarray(cv2.warpPerspective(image, onto @ place, size, flags=cv2.INTER_LINEAR))


def _register(plane: Plane, text: str, font: Font, onto: Floats, before: float) -> tuple[float, Font, Floats]:
    """Refine by registration: affine, then a homography where that helps; keeps the start when it does not converge."""
    import cv2

    best = (before, font, onto)
    height, width = plane.ink.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    for motion, smooth_px, gain in (
        (cv2.MOTION_AFFINE, 21, 0.0),
        (cv2.MOTION_AFFINE, 5, 0.0),
        (cv2.MOTION_HOMOGRAPHY, 9, 0.01),
    ):
        shown = _shown(plane, text, font, best[2])
        step = np.eye(3, dtype=np.float32)
        start = step if motion == cv2.MOTION_HOMOGRAPHY else step[:2].copy()
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
        try:
            _, found = cv2.findTransformECC(shown, plane.ink, start, motion, criteria, None, smooth_px)
        except cv2.error as error:  # did not converge
            raise_shortage(error)
            continue
        step[: found.shape[0]] = found
        refined = step.astype(np.float64) @ best[2]
        value = _likeness(plane, text, font, refined)
        moved_px = np.abs(apply(step.astype(np.float64), corners) - corners).max()
        if value > best[0] + gain and moved_px < 0.5 * PLANE_HEIGHT_PX:  # more is another place, and no refinement
            best = (value, font, refined)
    return best


@dataclass(frozen=True)
class Plane:
    """The old ink, straightened: ``ink`` (h, w) with a margin, ``to_picture`` (3, 3).

    ``extent`` is left, top, right, bottom of what is more ink than ground.
    """

    ink: NDArray[np.float32]
    to_picture: Floats
    extent: tuple[float, float, float, float]
    softness_px: float  # sigma: small letters were enlarged, and so was the blur of their pixels


def straighten(alpha: Floats, box: Floats) -> Plane | None:
    """Bring the quad to a rectangle of ``PLANE_HEIGHT_PX`` with a margin, then find the extent of the ink in it."""
    import cv2

    across = float(np.linalg.norm(box[3] - box[0]) + np.linalg.norm(box[2] - box[1])) / 2.0
    along = float(np.linalg.norm(box[1] - box[0]) + np.linalg.norm(box[2] - box[3])) / 2.0
    if across < 3 or along < 3:
        return None
    high, margin = PLANE_HEIGHT_PX, _MARGIN_PX
    wide = int(np.clip(along / across * high, 12, 3000))
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], dtype=np.float64) + margin
    to_picture = cv2.getPerspectiveTransform(corners.astype(np.float32), box.astype(np.float32)).astype(np.float64)
    size = (wide + 2 * margin, high + 2 * margin)
    ink = cv2.warpPerspective(alpha.astype(np.float32), to_picture, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    if rows.size == 0 or np.ptp(columns) < 4 or np.ptp(rows) < 4:
        return None
    extent = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return Plane(ink, to_picture, extent, max(0.6, 0.6 * high / across))


def usual_extent(plane: Plane) -> tuple[float, float, float, float]:
    """Where letters usually lie in a reader's box: it is about an eighth higher than they are, at either side."""
    height, width = plane.ink.shape
    inset = 0.12 * PLANE_HEIGHT_PX
    return float(_MARGIN_PX), _MARGIN_PX + inset, float(width - _MARGIN_PX), height - _MARGIN_PX - inset
